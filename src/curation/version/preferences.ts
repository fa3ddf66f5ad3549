import { canonicalJson } from "../../core/canonical.ts"
import type { Example, Preference } from "../../core/rows/example.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { digits } from "../leaks/lineage.ts"
import { outbound } from "./personal-data-policy.ts"

/** What a candidate was before a person corrected it. */
export type Proposal = Pick<Example, "input" | "output">

/**
 * A preference for each train example that a person corrected: for its input the output that it has now is better than
 * the one that was proposed (direct preference optimisation, Rafailov et al. 2023). The pairs are those of the given
 * train rows only, whose inputs are checked for leaks; they keep the order of the rows. `proposals` is by the id of the
 * example. A proposal that equals the output by now gives no pair; with none there are no pairs.
 */
export function preferencePairs(
  task: TaskSpecification,
  train: Iterable<Example>,
  proposals: ReadonlyMap<string, Proposal>,
): Preference[] {
  if (proposals.size === 0) return []
  return [...train].flatMap(({ id, input, output, provenance }): Preference[] => {
    const proposal = proposals.get(id)
    if (proposal === undefined) return []
    const rejected = outbound(task, proposal).output
    if (canonicalJson(rejected) === canonicalJson(output)) return []
    return [{ id: `pref_${digits(id)}`, input, chosen: output, rejected, provenance }]
  })
}
