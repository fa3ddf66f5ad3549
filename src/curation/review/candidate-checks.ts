import { formatIssue } from "../../core/errors.ts"
import type { CandidateCheck, Input, Output } from "../../core/rows/example.ts"
import { inputIssues, outputIssues } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { NearDuplicateIndex } from "../holdout/near-duplicates.ts"
import { normaliseStrings } from "../text/normalise.ts"
import { personalDataKindsIn } from "../version/personal-data-policy.ts"
import { anyInputText, rowLength } from "../version/validity.ts"

/**
 * What can be said of a grown pair before anybody looks at it: always the checks `schema`, `novelty`, `length` and
 * `personal-data`, in this order.
 *
 * `novelty` fails when the input is near a known one; its value is 1 less the similarity and is left out when nothing
 * is near, because then the similarity is not known. `personal-data` names the kinds found; it fails only where the
 * specification refuses or drops personal data.
 */
export function candidateChecks({
  task,
  draft,
  index,
}: {
  readonly task: TaskSpecification
  readonly draft: { readonly input: Input; readonly output: Output }
  /** The inputs known so far, held-out ones included. */
  readonly index: Pick<NearDuplicateIndex, "findNear">
}): CandidateCheck[] {
  const { input, output } = normaliseStrings({ input: draft.input, output: draft.output })
  const issue = [...inputIssues(task, input), ...outputIssues(task, output, input)][0]
  const schema: CandidateCheck = issue
    ? { name: "schema", ok: false, detail: formatIssue(issue) }
    : { name: "schema", ok: true }
  const text = anyInputText(task, input)
  return [schema, novelty(text, index), length(task, text, output), personalData(task, { input, output })]
}

function novelty(text: string, index: Pick<NearDuplicateIndex, "findNear">): CandidateCheck {
  const near = index.findNear(text)
  if (!near) return { name: "novelty", ok: true }
  return { name: "novelty", ok: false, value: Number((1 - near.similarity).toFixed(4)), detail: `near ${near.id}` }
}

function length(task: TaskSpecification, text: string, output: Output): CandidateCheck {
  const value = rowLength(text, output)
  const { maxLength } = task.build
  return value <= maxLength
    ? { name: "length", ok: true, value }
    : { name: "length", ok: false, value, detail: `${value} characters; at most ${maxLength} allowed` }
}

function personalData(
  task: TaskSpecification,
  pair: { readonly input: Input; readonly output: Output },
): CandidateCheck {
  const kinds = personalDataKindsIn(task, pair)
  if (kinds.length === 0) return { name: "personal-data", ok: true }
  const isAllowed = task.privacy.personalData === "flag" || task.privacy.personalData === "pseudonymise"
  return { name: "personal-data", ok: isAllowed, detail: kinds.join(", ") }
}
