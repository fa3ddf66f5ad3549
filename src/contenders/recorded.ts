import { z } from "zod"
import type { Contender } from "../core/contracts/contender.ts"
import { nameSchema } from "../core/names.ts"
import { taskKinds } from "../core/task/task.ts"

const options = z.object({ argument: nameSchema })

/** A model that has gone, or will: its answers were recorded while it could be asked. */
const recorded: Contender<z.output<typeof options>> = {
  summary: "what a model answered while it could be asked, by `models record`",
  kinds: taskKinds,
  needs: ["recorded answers"],
  argument: "name",
  options,
  recording: ({ argument }) => argument,
  // What it was trained on elsewhere nobody here knows.
  seen: () => [],
  work: (_material, _tools, { argument }) => ({ kind: "kept", recording: argument }),
}
export default recorded
