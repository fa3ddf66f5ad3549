import type { FoundLeak } from "./definition.ts"
import { digits } from "./lineage.ts"
import { descents, type ParentedRow } from "./witness-lineage.ts"

/** A row and its group. */
export interface GroupedRow {
  readonly id: string
  readonly group: string
}

/** For each group that a held-out row has, the smallest id of those that have it. */
export function groupsHeldOut(rows: readonly { readonly id: string; readonly group?: string | undefined }[]) {
  const groups = new Map<string, string>()
  for (const { id, group } of rows.toSorted((a, b) => (a.id < b.id ? 1 : -1)))
    if (group !== undefined) groups.set(group, id)
  return groups
}

/**
 * Of the train rows with parents those that descend from a row of a held-out group, each with the held-out row of that
 * group: `others` are the rows, kept or not, that may be on the way.
 */
export function groupDescents(
  train: readonly ParentedRow[],
  { parented, grouped }: { readonly parented: readonly ParentedRow[]; readonly grouped: Iterable<GroupedRow> },
  groups: ReadonlyMap<string, string>,
): FoundLeak[] {
  const beside = new Map<string, string>()
  for (const { id, group } of grouped) {
    const heldOut = groups.get(group)
    if (heldOut !== undefined) beside.set(digits(id), heldOut)
  }
  return descents(train, parented, beside).map((leak) => ({ ...leak, check: "group" }))
}
