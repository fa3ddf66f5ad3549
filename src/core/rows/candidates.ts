import type { Candidate } from "./example.ts"

/** Whether every check of the candidate passed. */
export function passes(candidate: Pick<Candidate, "checks">): boolean {
  return candidate.checks.every(({ ok }) => ok)
}

/** The first row of each id. */
export function uniqueById<Row extends { id: string }>(rows: readonly Row[]): Row[] {
  return [...new Map(rows.toReversed().map((row) => [row.id, row])).values()]
}
