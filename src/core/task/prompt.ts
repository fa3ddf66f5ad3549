import { contentId } from "../canonical.ts"
import type { Example, Input, Output } from "../rows/example.ts"
import { formatOutput } from "./output.ts"
import { labelsOf, type TaskSpecification } from "./task.ts"

export interface Message {
  readonly role: "system" | "user" | "assistant" | "tool"
  readonly content: string
  readonly [other: string]: unknown
}

/**
 * The id of the template a dataset is rendered with and a model is served with; changes when a rendered byte could
 * change.
 */
export function promptVersion(task: TaskSpecification): string {
  return contentId("prompt", {
    semantics: 1,
    system: systemMessage(task) ?? null,
    user: userTemplate(task),
    kind: task.kind,
  })
}

/** The messages that ask for the output of an input, with worked examples before it when `shots` are given. */
export function renderQuestion(
  task: TaskSpecification,
  input: Input,
  shots: readonly Pick<Example, "input" | "output">[] = [],
): Message[] {
  const system = systemMessage(task)
  return [
    ...(system === undefined ? [] : [{ role: "system", content: system } as const]),
    ...shots.flatMap((shot) => [...renderTurns(task, shot.input), answer(task, shot.output)]),
    ...renderTurns(task, input),
  ]
}

/** The messages of a training row: the question and the target turn. */
export function renderExample(task: TaskSpecification, example: Pick<Example, "input" | "output">): Message[] {
  return [...renderQuestion(task, example.input), answer(task, example.output)]
}

function answer(task: TaskSpecification, output: Output): Message {
  if (task.kind === "chat" && typeof output === "object" && output !== null)
    return { role: "assistant", content: "", ...output }
  return { role: "assistant", content: formatOutput(task, output) }
}

function systemMessage(task: TaskSpecification): string | undefined {
  const template = task.prompt.system
  if (template === undefined) return undefined
  const labels = labelsOf(task)
  const meanings = task.kind === "label" || task.kind === "multilabel" ? task.output.labels : {}
  return fill(template.trimEnd(), {
    labels: labels.join(", "),
    definitions: labels.map((label) => `${label}: ${meanings[label]}`).join("\n"),
    guideline: task.guideline.trim(),
  })
}

function userTemplate(task: TaskSpecification): string {
  if (task.kind === "chat") return ""
  if (task.prompt.user !== undefined) return task.prompt.user.trimEnd()
  const fields = Object.keys(task.input)
  return fields.length === 1 ? `{${fields[0]}}` : fields.map((field) => `${field}: {${field}}`).join("\n")
}

function renderTurns(task: TaskSpecification, input: Input): Message[] {
  if (task.kind === "chat") return input["messages"] as Message[]
  return [{ role: "user", content: fill(userTemplate(task), input) }]
}

/**
 * Every `{name}` that is a key of the values is replaced in one pass, so that braces inside a value are never read as a
 * placeholder.
 */
function fill(template: string, values: Readonly<Record<string, unknown>>): string {
  return template.replace(/\{([A-Za-z][A-Za-z0-9_]*)\}/g, (placeholder, name: string) =>
    Object.hasOwn(values, name) ? String(values[name] ?? "") : placeholder,
  )
}
