import { attributesPrompt, readAttributes } from "../../core/growing/attributes.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { PlannedPrompt } from "../../core/contracts/strategy.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { Asking } from "../asking/asking.ts"
import type { StageContext } from "../context.ts"
import { askToGrow } from "./ask-to-grow.ts"
import { type GrowingModel, growingModelName } from "./asking-terms.ts"
import { sourcesOf } from "./expand.ts"
import { holdOut } from "../arriving/hold-out.ts"
import { repairPrompt } from "./repair.ts"

/**
 * Attributes that a model proposes for the grid, for a person to edit and paste: nothing is written but the answer in
 * the ledger, so that asking again costs nothing. An answer that cannot be read is asked for once more.
 */
export async function proposeAttributes(
  context: StageContext,
  task: TaskSpecification,
  options: GrowingModel & { readonly asking: Asking },
): Promise<Record<string, string[]>> {
  await holdOut(context, task)
  const ask = async (prompt: PlannedPrompt): Promise<string> => {
    const [asked] = await askToGrow(context, task, [prompt], { ...options, purpose: "attributes" })
    return asked?.text ?? ""
  }
  const prompt = attributesPrompt(task, sourcesOf(context, task, []).seeds)
  const text = await ask(prompt)
  const attributes =
    readAttributes(text) ??
    readAttributes(await ask(repairPrompt({ prompt, text }, "it holds no attributes with values")))
  if (attributes === undefined)
    throw new ToolkitError(`${growingModelName(task, options)} proposed no attributes that can be read`, {
      code: "no-attributes",
      hint: `Write expand.attributes in ${context.workspace.show(context.workspace.specFile(task.task))} yourself, or name another model.`,
    })
  return attributes
}
