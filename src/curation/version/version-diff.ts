import { canonicalJson } from "../../core/canonical.ts"
import { DataError } from "../../core/errors.ts"
import type { DroppedExample, Example } from "../../core/rows/example.ts"
import type { DatasetManifest } from "../../core/rows/manifests.ts"

/** A frozen version with its rows, which may be gone through more than once. */
export interface FrozenVersion {
  readonly manifest: DatasetManifest
  /** In the order of their ids. */
  readonly train: Iterable<Example>
  readonly dropped: Iterable<DroppedExample>
}

/** Where a row stands in the task's files now, for rows that one of the versions never read. */
export type Whereabouts = "erased" | "validation" | "test" | "retired" | "open" | "removed" | "train"

export interface RowChange {
  readonly id: string
  /** One sentence's worth: the reason of a drop with its witness, whose decision, which correction. */
  readonly why: string
  /** A word to count by. */
  readonly kind: string
  readonly before?: Pick<Example, "input" | "output">
  readonly after?: Pick<Example, "input" | "output">
}

export interface VersionDiff {
  /** Keys of the recipe that differ; a version that is built by another rule keeps other rows. */
  readonly recipe: readonly { readonly key: string; readonly before: unknown; readonly after: unknown }[]
  readonly came: readonly RowChange[]
  readonly went: readonly RowChange[]
  readonly changed: readonly RowChange[]
  /** Rows in neither, whose reason is another one or that only one version read. */
  readonly out: readonly RowChange[]
  readonly unchanged: number
}

/**
 * What the second version trains on and the first did not, the other way round, and what is in both with other content,
 * each row once and with its reason; by id. The same version twice gives no change. unchanged + changed + came = rows
 * of the second, unchanged + changed + went = rows of the first. Both are gone through side by side: memory has what
 * changed, and of dropped rows the ids and reasons. `whereabouts` is asked once, of all ids whose place matters.
 */
export function diffVersions(
  before: FrozenVersion,
  after: FrozenVersion,
  whereabouts: (ids: ReadonlySet<string>) => (id: string) => Whereabouts,
): VersionDiff {
  const [outBefore, outAfter] = [dropsOf(before), dropsOf(after)]
  const came: Example[] = []
  const went: Example[] = []
  const changed: RowChange[] = []
  let unchanged = 0
  // Of the dropped rows those are left that neither version trains on.
  const outside = new Set([...outBefore.keys(), ...outAfter.keys()])
  for (const { id, was, is } of sideBySide(before, after)) {
    outside.delete(id)
    if (was !== undefined && is !== undefined) {
      if (isSame(was, is)) unchanged++
      else changed.push(change(was, is))
    } else if (is !== undefined) came.push(is)
    else if (was !== undefined) went.push(was)
  }
  const unread = [...went.map(({ id }) => id), ...outside].filter((id) => !outAfter.has(id))
  const placeOf = unread.length === 0 ? () => "train" as const : whereabouts(new Set(unread))
  const contents = contentsOf(before, new Set(came.flatMap(({ id }) => (outBefore.has(id) ? [id] : []))))
  return {
    recipe: recipeChanges(before.manifest.recipe, after.manifest.recipe),
    came: came.map((row) => arrival(row, outBefore.get(row.id), contents.get(row.id))).sort(inOrder),
    went: went.map((row) => departure(row, outAfter.get(row.id), placeOf)).sort(inOrder),
    changed: changed.sort(inOrder),
    out: [...outside].flatMap((id) => outChange(id, outBefore.get(id), outAfter.get(id), placeOf)).sort(inOrder),
    unchanged,
  }
}

interface BothSides {
  readonly id: string
  readonly was: Example | undefined
  readonly is: Example | undefined
}

/** The train rows of both by their ids, those of one id together. */
function* sideBySide(before: FrozenVersion, after: FrozenVersion): Generator<BothSides> {
  const [lefts, rights] = [inOrderOfIds(before), inOrderOfIds(after)]
  let [left, right] = [lefts.next().value, rights.next().value]
  for (;;) {
    const id = right === undefined || (left !== undefined && left.id < right.id) ? left?.id : right.id
    if (id === undefined) return
    const [was, is] = [left?.id === id ? left : undefined, right?.id === id ? right : undefined]
    yield { id, was, is }
    if (was !== undefined) left = lefts.next().value
    if (is !== undefined) right = rights.next().value
  }
}

function* inOrderOfIds({ train, manifest }: FrozenVersion): Generator<Example, undefined> {
  let last = ""
  for (const row of train) {
    if (row.id < last)
      throw new DataError(
        `the train rows of ${manifest.id} do not stand in the order of their ids: ${row.id} comes after ${last}`,
        [],
        `Build the version again: tuneloop build ${manifest.task}`,
      )
    last = row.id
    yield row
  }
}

function isSame(a: Example, b: Example): boolean {
  return JSON.stringify(a) === JSON.stringify(b) || canonicalJson(a) === canonicalJson(b)
}

/** Why a row was dropped, without what it says. */
type Drop = Pick<DroppedExample, "reason" | "witness" | "similarity" | "detail">

function dropsOf({ dropped }: FrozenVersion): Map<string, Drop> {
  const drops = new Map<string, Drop>()
  for (const { id, reason, witness, similarity, detail } of dropped)
    drops.set(id, { reason, witness, similarity, detail })
  return drops
}

function contentsOf({ dropped }: FrozenVersion, ids: ReadonlySet<string>): Map<string, ReturnType<typeof content>> {
  const contents = new Map<string, ReturnType<typeof content>>()
  if (ids.size > 0) for (const row of dropped) if (ids.has(row.id)) contents.set(row.id, content(row))
  return contents
}

function arrival(row: Example, was: Drop | undefined, before: RowChange["before"]): RowChange {
  const after = content(row)
  const told = before === undefined ? {} : { before }
  const { strategy, acceptedBy } = row.provenance
  if (was === undefined) {
    if (acceptedBy === "gold")
      return { id: row.id, kind: "new gold", why: "a gold example that the first did not read", after }
    return { id: row.id, kind: "new decision", why: `accepted by ${acceptedBy} (${strategy})`, after }
  }
  if (was.reason === "rejected" || was.reason === "failed-check" || was.reason === "undecided")
    return {
      id: row.id,
      kind: "new decision",
      why: `was ${describeDrop(was)}; accepted by ${acceptedBy}`,
      ...told,
      after,
    }
  return { id: row.id, kind: `was ${was.reason}`, why: `was dropped: ${describeDrop(was)}`, ...told, after }
}

function departure(row: Example, drop: Drop | undefined, whereabouts: (id: string) => Whereabouts): RowChange {
  const before = content(row)
  if (drop === undefined) {
    const place = whereabouts(row.id)
    return {
      id: row.id,
      kind: ["validation", "test", "retired"].includes(place) ? "held out" : place,
      why: absences[place],
      before,
    }
  }
  if (drop.reason === "rejected" || drop.reason === "failed-check" || drop.reason === "undecided")
    return { id: row.id, kind: "new decision", why: describeDrop(drop), before }
  return { id: row.id, kind: drop.reason, why: `dropped: ${describeDrop(drop)}`, before }
}

const absences: Readonly<Record<Whereabouts, string>> = {
  erased: "erased, by a tombstone",
  validation: "held out, for validation",
  test: "held out, for the test",
  retired: "held out, from a test set that was worn",
  open: "waits for a decision: its reviewers disagree, or it changed after it was decided",
  removed: "removed: no seed, input or candidate of that id is left",
  train: "the second did not read it",
}

function change(before: Example, after: Example): RowChange {
  const both = { before: content(before), after: content(after) }
  const isInput = canonicalJson(before.input) !== canonicalJson(after.input)
  const isOutput = canonicalJson(before.output ?? null) !== canonicalJson(after.output ?? null)
  const what = [...(isInput ? ["input"] : []), ...(isOutput ? ["output"] : [])].join(" and ")
  if (what === "") {
    const keys = [
      ...new Set([...Object.keys(before.provenance), ...Object.keys(after.provenance)]),
    ] as (keyof Example["provenance"])[]
    const other = keys.filter(
      (key) => canonicalJson(before.provenance[key] ?? null) !== canonicalJson(after.provenance[key] ?? null),
    )
    return { id: after.id, kind: "provenance", why: `same content, other provenance: ${other.join(", ")}` }
  }
  if (after.provenance.acceptedBy === "gold")
    return { id: after.id, kind: "corrected seed", why: `the seed's ${what} was corrected`, ...both }
  if (!isInput)
    return {
      id: after.id,
      kind: "new decision",
      why: `the output was decided anew by ${after.provenance.acceptedBy}`,
      ...both,
    }
  return { id: after.id, kind: "corrected", why: `its ${what} was corrected`, ...both }
}

function outChange(
  id: string,
  was: Drop | undefined,
  is: Drop | undefined,
  whereabouts: (id: string) => Whereabouts,
): RowChange[] {
  if (was?.reason === is?.reason) return []
  if (was === undefined)
    return is === undefined
      ? []
      : [{ id, kind: `read, ${is.reason}`, why: `the first did not read it; ${describeDrop(is)}` }]
  if (is === undefined)
    return [{ id, kind: "no longer read", why: `was ${describeDrop(was)}; ${absences[whereabouts(id)]}` }]
  return [{ id, kind: "another reason", why: `was ${describeDrop(was)}; now ${describeDrop(is)}` }]
}

function describeDrop({ reason, witness, similarity, detail }: Drop): string {
  const twin =
    witness === undefined ? "" : ` of ${witness}${similarity === undefined ? "" : ` (${similarity.toFixed(2)})`}`
  return `${reason}${twin}${detail === undefined ? "" : ` (${detail})`}`
}

function recipeChanges(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): VersionDiff["recipe"] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .sort()
    .filter((key) => canonicalJson(before[key] ?? null) !== canonicalJson(after[key] ?? null))
    .map((key) => ({ key, before: before[key] ?? null, after: after[key] ?? null }))
}

function content({ input, output }: Example): Pick<Example, "input" | "output"> {
  return { input, output }
}

function inOrder(a: RowChange, b: RowChange): number {
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1
  return a.id < b.id ? -1 : 1
}
