import { z } from "zod"
import { digest } from "../core/canonical.ts"
import type { Contender, ContenderMaterial } from "../core/contracts/contender.ts"
import type { Example } from "../core/rows/example.ts"
import { renderQuestion } from "../core/task/prompt.ts"
import { labelsOf, taskKinds } from "../core/task/task.ts"

const options = z.object({ shotsPerLabel: z.int().positive(), shots: z.int().positive() })
type Options = z.output<typeof options>

/** The base model with the same worked examples before every question. */
const fewShot: Contender<Options> = {
  summary: "the base model with worked examples in the prompt",
  kinds: taskKinds,
  needs: ["base model", "train rows"],
  options,
  seen: chooseShots,
  work(material, { base }, given) {
    const shots = chooseShots(material, given)
    const question = ({ input }: Example) => renderQuestion(material.task, input, shots)
    return { kind: "generate", model: base, shown: shots, question }
  },
}
export default fewShot

/** Gold examples of the train rows, the same number a label, chosen by digest. */
function chooseShots({ task, train }: ContenderMaterial, { shotsPerLabel, shots }: Options): Example[] {
  const ordered = train
    .filter(({ provenance }) => provenance.acceptedBy === "gold")
    .sort((a, b) => (digest(a.id) < digest(b.id) ? -1 : 1))
  if (task.kind !== "label") return ordered.slice(0, shots)
  const perLabel = labelsOf(task).map((label) =>
    ordered.filter(({ output }) => output === label).slice(0, shotsPerLabel),
  )
  return perLabel.flat().sort((a, b) => (digest([a.id, "order"]) < digest([b.id, "order"]) ? -1 : 1))
}
