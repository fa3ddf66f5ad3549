import { rowChecks } from "../../curation/review/row-checks.ts"
import type { Seed } from "../../core/rows/example.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import { relabelled } from "./kinds/relabel.ts"

/**
 * The seeds with the outputs that experts gave them; without those whose label was split and that nobody decided on
 * since.
 */
export function correctedSeeds(rows: TaskRows): Seed[] {
  const decisions = Map.groupBy(rows.review.decisions(), (decision) => decision.item)
  const checkOf = rowChecks(decisions)
  const { migrations } = rows
  return rows.seeds().flatMap((seed) => {
    const check = checkOf(seed.id, seed.input, seed.output)
    const output = check.state === "corrected" ? check.output : seed.output
    const relabel = relabelled(migrations, { row: seed.id, input: seed.input, output }, decisions)
    if (relabel !== undefined) return relabel.state === "relabelled" ? [{ ...seed, output: relabel.output }] : []
    return [output === seed.output ? seed : { ...seed, output }]
  })
}
