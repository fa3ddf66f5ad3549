import type { CandidateCheck, DroppedExample, Example, FlaggedRow, Input, Output } from "../../core/rows/example.ts"
import type { ConfiguredFilter, FilterFinding, TextPlace } from "../../core/contracts/filter.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { CurationRow } from "../rows/ranking.ts"
import { stringsIn } from "./validity.ts"

/** What the filters say of a row: why it is dropped, or what a person should look at. */
export interface Judgement {
  readonly why?: Pick<DroppedExample, "reason" | "detail">
  readonly flagged: readonly FlaggedRow[]
}

/**
 * What each filter finds in each of the rows, filter by filter, so that what each takes can be told: `measure` does the
 * work of one.
 */
export function judgeAll(
  task: TaskSpecification,
  rows: readonly CurationRow[],
  filters: readonly ConfiguredFilter[],
  measure: (name: string, rows: number, work: () => void) => void,
): Judgement[] {
  const findings = rows.map((): RowFinding[] => [])
  for (const filter of filters)
    measure(filter.name, rows.length, () => {
      for (const [index, row] of rows.entries()) findings[index]?.push(...findingsIn(task, row, [filter]))
    })
  return rows.map((row, index) => judgementOf(row, findings[index] ?? []))
}

/**
 * A row passes or is dropped with the filter and its code as the reason. A row that a person wrote or accepted always
 * passes, and what was found in it is flagged. Each row is judged by itself, so that the order does not matter and a
 * second time changes nothing.
 */
function judgementOf(row: CurationRow, findings: readonly RowFinding[]): Judgement {
  if (findings.length === 0) return unremarkable
  const worst = row.rank.human || row.rank.reviewed ? undefined : findings.find(({ severity }) => severity === "drop")
  if (worst !== undefined)
    return { why: { reason: `filter-${worst.filter}`, detail: describeFinding(worst) }, flagged: [] }
  return { flagged: findings.map(({ filter, code, place, detail }) => ({ id: row.id, filter, code, place, detail })) }
}

const unremarkable: Judgement = { flagged: [] }

/** What the filters find in held-out rows: ids and codes, and no text. */
export function flagHeldOut(
  task: TaskSpecification,
  rows: readonly Example[],
  filters: readonly ConfiguredFilter[],
): FlaggedRow[] {
  return rows.flatMap((row) =>
    findingsIn(task, row, filters).map(({ filter, code, place }) => ({ id: row.id, filter, code, place })),
  )
}

/**
 * A check for each filter that finds something in the grown pair; it fails where the filter drops. None for a pair
 * without findings.
 */
export function qualityChecks(
  task: TaskSpecification,
  draft: { readonly input: Input; readonly output: Output },
  filters: readonly ConfiguredFilter[],
): CandidateCheck[] {
  return [...Map.groupBy(findingsIn(task, draft, filters), ({ filter }) => filter)].map(([name, findings]) => ({
    name,
    ok: findings.every(({ severity }) => severity !== "drop"),
    detail: findings.map(describeFinding).join("; "),
  }))
}

/** How often each code was found, sorted. */
export function countFlags(flagged: readonly FlaggedRow[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const { filter, code } of flagged) counts.set(`${filter}/${code}`, (counts.get(`${filter}/${code}`) ?? 0) + 1)
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}

interface RowFinding extends FilterFinding {
  readonly filter: string
  readonly severity: "flag" | "drop"
  readonly place: TextPlace
}

/** Each code of each filter once a place, in the order of the filters. */
function findingsIn(
  task: TaskSpecification,
  { input, output }: { readonly input: Input; readonly output: Output },
  filters: readonly ConfiguredFilter[],
): RowFinding[] {
  // Labels are the specification's own words.
  const outputTexts = task.kind === "label" || task.kind === "multilabel" ? [] : stringsIn(output)
  const texts = [
    ...stringsIn(input).map((text) => ({ place: "input" as const, text })),
    ...outputTexts.map((text) => ({ place: "output" as const, text })),
  ]
  const found = new Map<string, RowFinding>()
  for (const { name, filter, options } of filters)
    for (const { place, text } of texts)
      for (const { code, detail } of filter.find(text, { place, task }, options as never)) {
        const key = `${name} ${code} ${place}`
        if (!found.has(key)) found.set(key, { filter: name, severity: options.severity, place, code, detail })
      }
  return [...found.values()]
}

function describeFinding({ code, place, detail }: RowFinding): string {
  return `${code} in the ${place}: ${detail}`
}
