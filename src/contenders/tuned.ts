import { z } from "zod"
import type { Contender } from "../core/contracts/contender.ts"
import { renderQuestion } from "../core/task/prompt.ts"
import { taskKinds } from "../core/task/task.ts"

/** The model that the verdict is about. */
const tuned: Contender = {
  summary: "the base model with the trained adapter",
  kinds: taskKinds,
  needs: ["tuned model"],
  options: z.object({}),
  seen: ({ train }) => train,
  work: ({ task }, { tuned: model }) => ({
    kind: "generate",
    model,
    question: ({ input }) => renderQuestion(task, input),
  }),
}
export default tuned
