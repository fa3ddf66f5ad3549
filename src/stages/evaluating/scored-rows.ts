import type { ScoredRow } from "../../core/contracts/metric.ts"
import { withoutThoughts } from "../../core/asking/thoughts.ts"
import type { Example, Output } from "../../core/rows/example.ts"
import { formatOutput, parseOutput } from "../../core/task/output.ts"
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
      output:
        prediction === undefined || prediction.silence !== undefined
          ? undefined
          : parseOutput(task, answerText(task, prediction.output, output), input),
      ...(group === undefined ? {} : { group }),
    }
  })
}

/** What the model answered, without what it thought; where thoughts are a part of what is to be learnt, they stay. */
function answerText(task: TaskSpecification, said: string, reference: Output): string {
  const learnsToThink = withoutThoughts(formatOutput(task, reference)).thought !== undefined
  return learnsToThink ? said : withoutThoughts(said).text
}
