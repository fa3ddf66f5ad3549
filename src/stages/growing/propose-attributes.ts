import { attributesPrompt, readAttributes } from "../../core/growing/attributes.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { ChatModel } from "../../core/contracts/model.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { askAll, requestsOf } from "../asking/ask.ts"
import type { Asking } from "../asking/asking.ts"
import type { StageContext } from "../context.ts"
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
  options: {
    readonly model: (() => ChatModel & { baseUrl: string }) | undefined
    readonly environmentModel: string | undefined
    readonly asking?: Asking
  },
): Promise<Record<string, string[]>> {
  await holdOut(context, task)
  const modelName = task.expand.model?.model ?? options.environmentModel
  const ask = async (prompt: ReturnType<typeof attributesPrompt>): Promise<string> => {
    const requests = requestsOf(context, task, [prompt], options, modelName)
    await askAll(context, task, "attributes", requests, options.model, options.asking)
    const answers = await context.ledger().requests.answers(requests.map(({ key }) => key))
    return answers.get(requests[0]?.key ?? "")?.text ?? ""
  }
  const prompt = attributesPrompt(task, sourcesOf(context, task, []).seeds)
  const text = await ask(prompt)
  const attributes =
    readAttributes(text) ??
    readAttributes(await ask(repairPrompt({ prompt, text }, "it holds no attributes with values")))
  if (attributes === undefined)
    throw new ToolkitError(`${modelName} proposed no attributes that can be read`, {
      code: "no-attributes",
      hint: `Write expand.attributes in ${context.workspace.show(context.workspace.specFile(task.task))} yourself, or name another model.`,
    })
  return attributes
}
