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
  const system = systemMessage(task)
  return contentId("prompt", {
    // 2: a conversation's own system message is joined to that of the specification; an optional field that a row lacks
    // says nothing.
    semantics: (task.kind === "chat" && system !== undefined) || hasOptionalFields(task) ? 2 : 1,
    system: system ?? null,
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
  const turns = renderTurns(task, input)
  if (system === undefined) return [...shotTurns(task, shots), ...turns]
  // Templates take one system message, at the beginning.
  const own = turns[0]?.role === "system" ? turns[0].content : undefined
  const content = own === undefined || own.trim() === system.trim() ? system : `${system}\n\n${own}`
  return [
    { role: "system", content },
    ...shotTurns(task, shots).filter(({ role }) => role !== "system"),
    ...(own === undefined ? turns : turns.slice(1)),
  ]
}

function shotTurns(task: TaskSpecification, shots: readonly Pick<Example, "input" | "output">[]): Message[] {
  return shots.flatMap((shot) => [...renderTurns(task, shot.input), answer(task, shot.output)])
}

/** The messages of a training row: the question and the target turn. */
export function renderExample(task: TaskSpecification, example: Pick<Example, "input" | "output">): Message[] {
  return [...renderQuestion(task, example.input), answer(task, example.output)]
}

function answer(task: TaskSpecification, output: Output): Message {
  if (task.kind === "chat" && typeof output === "object" && output !== null)
    return {
      role: "assistant",
      content: "",
      ...output,
      ...("content" in output && output.content === null ? noText : {}),
    }
  return { role: "assistant", content: formatOutput(task, output) }
}

/** Of a turn that only calls tools. */
const noText = { content: "" }

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

function hasOptionalFields(task: TaskSpecification): boolean {
  return task.kind !== "chat" && Object.values(task.input).some(({ required }) => !required)
}

/** The template for rows with these fields: of the usual one, a line for each. */
function userTemplate(task: TaskSpecification, isThere: (field: string) => boolean = () => true): string {
  if (task.kind === "chat") return ""
  if (task.prompt.user !== undefined) return task.prompt.user.trimEnd()
  const all = Object.keys(task.input)
  const fields = all.filter(isThere)
  return all.length === 1 ? `{${all[0]}}` : fields.map((field) => `${field}: {${field}}`).join("\n")
}

function renderTurns(task: TaskSpecification, input: Input): Message[] {
  if (task.kind === "chat") return input["messages"] as Message[]
  const lacking = Object.keys(task.input).filter((field) => input[field] === undefined)
  const said = fill(
    userTemplate(task, (field) => !lacking.includes(field)),
    { ...Object.fromEntries(lacking.map((field) => [field, ""])), ...input },
  )
  return [{ role: "user", content: lacking.length === 0 ? said : said.trimEnd() }]
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
