import type { ScoredRow } from "../../core/contracts/metric.ts"
import type { Example } from "../../core/rows/example.ts"
import { parseOutput } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { ContenderAnswers } from "./answers.ts"

/**
 * A contender's answers beside the references, in the order of the examples; an answer that cannot be read as an output
 * of the task is undefined.
 */
export function scoredRows(
  task: TaskSpecification,
  examples: readonly Example[],
  { predictions }: Pick<ContenderAnswers, "predictions">,
): ScoredRow[] {
  const byId = new Map(predictions.map((prediction) => [prediction.id, prediction]))
  return examples.map(({ id, input, output, provenance: { group } }) => {
    const prediction = byId.get(id)
    return {
      id,
      input,
      references: [output],
      output: prediction === undefined ? undefined : parseOutput(task, prediction.output),
      ...(group === undefined ? {} : { group }),
    }
  })
}
