import { z } from "zod"
import type { Contender } from "../core/contracts/contender.ts"
import { renderQuestion } from "../core/task/prompt.ts"
import { taskKinds } from "../core/task/task.ts"

/** The base model, asked as the tuned model is asked. */
const zeroShot: Contender = {
  summary: "the base model with the prompt alone",
  kinds: taskKinds,
  needs: ["base model"],
  options: z.object({}),
  seen: () => [],
  work: ({ task }, { base }) => ({
    kind: "generate",
    model: base,
    question: ({ input }) => renderQuestion(task, input),
  }),
}
export default zeroShot
