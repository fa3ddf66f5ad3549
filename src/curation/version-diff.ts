import { canonicalJson } from "../core/canonical.ts"
import type { DatasetManifest, DroppedExample, Example } from "../core/example.ts"

/** A frozen version with its rows. */
export interface FrozenVersion {
  readonly manifest: DatasetManifest
  readonly train: readonly Example[]
  readonly dropped: readonly DroppedExample[]
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

/** What the second version trains on and the first did not, the other way round, and what is in both with other content, each row once and with its
 * reason; by id. The same version twice gives no change. unchanged + changed + came = rows of the second, unchanged + changed + went = rows of the first. */
export function diffVersions(before: FrozenVersion, after: FrozenVersion, whereabouts: (id: string) => Whereabouts): VersionDiff {
  const rowsBefore = byId(before.train)
  const rowsAfter = byId(after.train)
  const outBefore = byId(before.dropped)
  const outAfter = byId(after.dropped)
  const came = after.train.filter(({ id }) => !rowsBefore.has(id)).map((row) => arrival(row, outBefore.get(row.id)))
  const went = before.train.filter(({ id }) => !rowsAfter.has(id)).map((row) => departure(row, outAfter.get(row.id), whereabouts))
  const both = before.train.flatMap((row) => {
    const other = rowsAfter.get(row.id)
    return other === undefined ? [] : [[row, other] as const]
  })
  const changed = both.flatMap(([row, other]) => (canonicalJson(row) === canonicalJson(other) ? [] : [change(row, other)]))
  return {
    recipe: recipeChanges(before.manifest.recipe, after.manifest.recipe),
    came: came.sort(inOrder),
    went: went.sort(inOrder),
    changed: changed.sort(inOrder),
    out: outChanges(outBefore, outAfter, new Set([...rowsBefore.keys(), ...rowsAfter.keys()]), whereabouts).sort(inOrder),
    unchanged: both.length - changed.length,
  }
}

function arrival(row: Example, was: DroppedExample | undefined): RowChange {
  const after = content(row)
  const { strategy, acceptedBy } = row.provenance
  if (was === undefined) {
    if (acceptedBy === "gold") return { id: row.id, kind: "new gold", why: "a gold example that the first did not read", after }
    return { id: row.id, kind: "new decision", why: `accepted by ${acceptedBy} (${strategy})`, after }
  }
  if (was.reason === "rejected" || was.reason === "failed-check" || was.reason === "undecided")
    return { id: row.id, kind: "new decision", why: `was ${describeDrop(was)}; accepted by ${acceptedBy}`, before: content(was), after }
  return { id: row.id, kind: `was ${was.reason}`, why: `was dropped: ${describeDrop(was)}`, before: content(was), after }
}

function departure(row: Example, drop: DroppedExample | undefined, whereabouts: (id: string) => Whereabouts): RowChange {
  const before = content(row)
  if (drop === undefined) {
    const place = whereabouts(row.id)
    return { id: row.id, kind: ["validation", "test", "retired"].includes(place) ? "held out" : place, why: absences[place], before }
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
    const keys = [...new Set([...Object.keys(before.provenance), ...Object.keys(after.provenance)])] as (keyof Example["provenance"])[]
    const other = keys.filter((key) => canonicalJson(before.provenance[key] ?? null) !== canonicalJson(after.provenance[key] ?? null))
    return { id: after.id, kind: "provenance", why: `same content, other provenance: ${other.join(", ")}` }
  }
  if (after.provenance.acceptedBy === "gold") return { id: after.id, kind: "corrected seed", why: `the seed's ${what} was corrected`, ...both }
  if (!isInput) return { id: after.id, kind: "new decision", why: `the output was decided anew by ${after.provenance.acceptedBy}`, ...both }
  return { id: after.id, kind: "corrected", why: `its ${what} was corrected`, ...both }
}

function outChanges(
  before: ReadonlyMap<string, DroppedExample>,
  after: ReadonlyMap<string, DroppedExample>,
  trained: ReadonlySet<string>,
  whereabouts: (id: string) => Whereabouts,
): RowChange[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((id): RowChange[] => {
    const [was, is] = [before.get(id), after.get(id)]
    if (trained.has(id) || was?.reason === is?.reason) return []
    if (was === undefined) return is === undefined ? [] : [{ id, kind: `read, ${is.reason}`, why: `the first did not read it; ${describeDrop(is)}` }]
    if (is === undefined) return [{ id, kind: "no longer read", why: `was ${describeDrop(was)}; ${absences[whereabouts(id)]}` }]
    return [{ id, kind: "another reason", why: `was ${describeDrop(was)}; now ${describeDrop(is)}` }]
  })
}

function describeDrop({ reason, witness, similarity, detail }: DroppedExample): string {
  const twin = witness === undefined ? "" : ` of ${witness}${similarity === undefined ? "" : ` (${similarity.toFixed(2)})`}`
  return `${reason}${twin}${detail === undefined ? "" : ` (${detail})`}`
}

function recipeChanges(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): VersionDiff["recipe"] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .sort()
    .filter((key) => canonicalJson(before[key] ?? null) !== canonicalJson(after[key] ?? null))
    .map((key) => ({ key, before: before[key] ?? null, after: after[key] ?? null }))
}

function content({ input, output }: Example): Pick<Example, "input" | "output"> {
  return { input, output }
}

function byId<Row extends { readonly id: string }>(rows: readonly Row[]): Map<string, Row> {
  return new Map(rows.map((row) => [row.id, row]))
}

function inOrder(a: RowChange, b: RowChange): number {
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1
  return a.id < b.id ? -1 : 1
}
