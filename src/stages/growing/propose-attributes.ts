import { attributesPrompt, readAttributes } from "../../core/growing/attributes.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { PlannedPrompt } from "../../core/contracts/strategy.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { Asking } from "../asking/asking.ts"
import type { StageContext } from "../context.ts"
import { askToGrow } from "./ask-to-grow.ts"
import { type GrowingModel, growingModelName } from "./asking-terms.ts"
import { requirePrivate } from "../privacy.ts"
import { sourcesOf } from "./expand.ts"
import { holdOut } from "../arriving/hold-out.ts"
import { askUntilRead, type Read } from "./ask-until-read.ts"

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
  const ask = (prompts: readonly PlannedPrompt[]) =>
    askToGrow(context, task, prompts, { ...options, purpose: "attributes" })
  const { seeds } = sourcesOf(context, task, [])
  requirePrivate(task, seeds)
  const prompt = attributesPrompt(task, seeds)
  const [found] = await askUntilRead(await ask([prompt]), ask, ({ text }): Read<Record<string, string[]>> => {
    const attributes = readAttributes(text)
    return attributes === undefined ? { problem: "it holds no attributes with values" } : { value: attributes }
  })
  const read = found?.read ?? { problem: "nobody was asked" }
  if ("value" in read) return read.value
  throw new ToolkitError(
    `${growingModelName(task, options)} proposed no attributes that can be read: ${read.problem}`,
    {
      code: "no-attributes",
      hint: `Write expand.attributes in ${context.workspace.show(context.workspace.specFile(task.task))} yourself, or name another model.`,
    },
  )
}
