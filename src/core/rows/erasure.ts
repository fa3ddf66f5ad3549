import { z } from "zod"
import { digest, digestText } from "../canonical.ts"
import { ToolkitError } from "../errors.ts"

/** A line of `tombstones.jsonl`: that a row was erased, without anything of what it said. */
export const tombstoneSchema = z.strictObject({
  id: z
    .string()
    .describe(
      "The digest of the digits of the row's id, which a seed, an input, a candidate and an example have in common",
    ),
  contents: z.array(z.string()).describe("The digests of the inputs that the row ever had here"),
  at: z.iso.datetime(),
  why: z.string().optional(),
})
export type Tombstone = z.output<typeof tombstoneSchema>

/** What is erased, to look rows up in. */
export interface Erased {
  readonly isEmpty: boolean
  /** The tombstone of the row, of its content, or of something it was grown from. */
  of(row: ErasableRow): Tombstone | undefined
}

/** As much of a row as an erasure needs; `item` names the row that a decision is about. */
export interface ErasableRow {
  readonly id?: string | undefined
  readonly item?: string | undefined
  readonly input?: unknown
  /** The row that a suspected label error is about. */
  readonly row?: string | undefined
  /** The two rows that a conflict is about. */
  readonly a?: { readonly row: string } | undefined
  readonly b?: { readonly row: string } | undefined
  /** The rows that a decision is about, where its item is a question about rows. */
  readonly rows?: readonly string[] | undefined
  readonly parents?: readonly string[] | undefined
  readonly provenance?: { readonly parents?: readonly string[] | undefined } | undefined
}

export function erasedBy(tombstones: readonly Tombstone[]): Erased {
  const byId = new Map(tombstones.map((tombstone) => [tombstone.id, tombstone]))
  const byContent = new Map(
    tombstones.flatMap((tombstone) => tombstone.contents.map((content) => [content, tombstone] as const)),
  )
  return {
    isEmpty: tombstones.length === 0,
    of(row) {
      if (tombstones.length === 0) return undefined
      const ids = [row.id, row.item, ...parentsOf(row)].filter((id) => id !== undefined)
      const named = ids.map((id) => byId.get(idDigest(id))).find((found) => found !== undefined)
      return named ?? (row.input === undefined ? undefined : byContent.get(contentDigest(row.input)))
    },
  }
}

/** What the row would not be there without. */
export function parentsOf(row: ErasableRow): readonly string[] {
  const asked = [row.row, row.a?.row, row.b?.row].filter((id) => id !== undefined)
  return [...(row.parents ?? row.provenance?.parents ?? []), ...asked, ...(row.rows ?? [])]
}

/** The digest by which a tombstone names a row: `seed_3f…`, `cand_3f…` and `ex_3f…` give the same. */
export function idDigest(id: string): string {
  return digestText(`row ${id.slice(id.indexOf("_") + 1)}`)
}

/** The digest by which a tombstone knows the content again. */
export function contentDigest(input: unknown): string {
  return digest({ input })
}

/** The error of a command that read rows which were erased before it could write. */
export function erasedMeanwhile(task: string): ToolkitError {
  return new ToolkitError(`rows of ${task} were erased, or its labels changed, while this command ran`, {
    code: "erased-meanwhile",
    hint: "Nothing of them was written. Run the same command again: what was paid for is kept.",
  })
}
