import { inputText } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { HeldOutRow } from "../../curation/leaks/contamination.ts"
import { numberTwins } from "../../curation/near/number-twins.ts"
import type { Curation } from "../../curation/version/curation.ts"
import type { StageContext } from "../context.ts"

/** Says how many rows are like another one, or like a held-out one, but for their numbers, and what follows. */
export function noteNumberTwins(
  context: Pick<StageContext, "report">,
  task: TaskSpecification,
  { intake }: Curation,
  heldOut: readonly HeldOutRow[],
): void {
  const { of, twins, likeOthers } = numberTwins(
    intake.samples.clean.texts(),
    heldOut.map(({ input }) => inputText(task, input)),
  )
  if (twins + likeOthers === 0) return
  const isKept = task.build.nearDuplicates?.numbers !== "drop"
  context.report.note(
    `of ${of} train rows ${twins} differ from another one in numbers alone, and ${likeOthers} from a held-out one: ` +
      (isKept ? "other inputs (build.nearDuplicates.numbers: drop makes them near-duplicates)" : "near-duplicates"),
  )
}
