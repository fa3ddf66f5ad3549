import type { Issue } from "../../core/errors.ts"
import { parseJson } from "../../core/json-text.ts"
import { turnFields, turnsOf, type Turn } from "../../core/rows/turns.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { Kind } from "./file-columns.ts"

type Fields = Readonly<Record<string, unknown>>

/**
 * A JSON row in a shape that trainers read (`{messages}`, ShareGPT's `{conversations}`, `{prompt, completion}`) as
 * `{input, output}`, or why it cannot be; any other row as it is. Whatever the shape, tools that are a JSON text are
 * the list that it stands for, and texts in parts are one.
 */
export function shapedFields(
  task: TaskSpecification,
  fields: Fields,
  kind: Kind,
): { fields: Fields } | { issues: Issue[] } {
  const conversation = conversationIn(fields)
  if (conversation === undefined) {
    const { input } = fields
    return task.kind === "chat" && isRecord(input) ? { fields: { ...fields, input: chatInput(input) } } : { fields }
  }
  const { path, turns, rest } = conversation
  const { tools, ...others } = rest
  const answers = kind === "seed" || turns.at(-1)?.role === "assistant"
  if (answers && kind === "input")
    return problem(
      path,
      "the conversation ends with an answer, and an input has none; import examples with answers by: tuneloop seed " +
        `import ${task.task} <file>`,
    )
  if (answers && turns.at(-1)?.role !== "assistant")
    return problem(
      path,
      `there is no answer: the last turn is the ${String(turns.at(-1)?.role)}'s, not the assistant's`,
    )
  // What follows the last turn that is to be learned says nothing for it.
  const target = answers
    ? turns.findLastIndex((turn) => turn.role === "assistant" && turn["weight"] !== 0)
    : turns.length
  if (target < 0) return problem(path, "every answer has the weight 0: there is nothing to learn from it")
  const before = turns.slice(0, target)
  const answer = turns[target]
  if (task.kind === "chat") {
    const input = chatInput({ messages: before, ...(tools === undefined || tools === null ? {} : { tools }) })
    if (answer === undefined) return { fields: { ...others, input } }
    const { role: _, ...output } = answer
    return { fields: { ...others, input, output } }
  }
  const asked = textInput(task, before, path)
  if ("issues" in asked) return asked
  if (hasTools(tools) || answer?.["tool_calls"] !== undefined)
    return problem(path, `it uses tools, and a task of kind ${task.kind} has none; a task of kind chat has`)
  return { fields: { ...others, input: asked.input, ...(answer === undefined ? {} : { output: answer.content }) } }
}

interface Conversation {
  /** The field that it stands in. */
  readonly path: string
  readonly turns: readonly Turn[]
  readonly rest: Fields
}

function conversationIn(fields: Fields): Conversation | undefined {
  if (fields["input"] !== undefined || fields["output"] !== undefined) return undefined
  const { prompt, completion } = fields
  const path = [...turnFields, ...Object.keys(fields)].find((name) => turnsOf(fields[name]) !== undefined)
  if (prompt !== undefined && completion !== undefined) {
    const { prompt: _, completion: __, ...rest } = fields
    const turns = [...turnsAs("user", prompt), ...turnsAs("assistant", completion)]
    return { path: "prompt", turns: turns.map(inOneText), rest }
  }
  if (path === undefined || path === "prompt" || path === "chosen" || path === "rejected") return undefined
  const { [path]: value, system, ...rest } = fields
  const turns = (turnsOf(value) as readonly Turn[]).map(inOneText)
  // LLaMA-Factory has the system's text beside the turns.
  const first = typeof system === "string" && system !== "" ? [{ role: "system", content: system }] : []
  return { path, turns: [...first, ...turns], rest }
}

function turnsAs(role: string, value: unknown): readonly Turn[] {
  return turnsOf(value) ?? (typeof value === "string" ? [{ role, content: value }] : [])
}

/** The one question of a task that knows no turns. The system's is left out: the specification has its own. */
function textInput(
  task: Exclude<TaskSpecification, { kind: "chat" }>,
  turns: readonly Turn[],
  path: string,
): { input: unknown } | { issues: Issue[] } {
  const fields = Object.keys(task.input)
  const asked = turns.filter(({ role }) => role !== "system" && role !== "developer")
  if (fields.length !== 1)
    return problem(
      path,
      `a conversation gives one text, and the input of ${task.task} has the fields ${fields.join(", ")}; give each ` +
        "row those fields and an output",
    )
  if (asked.length === 1 && asked[0]?.role === "user") return { input: asked[0].content }
  return problem(
    path,
    `${asked.length} turns stand before the answer, and a task of kind ${task.kind} has one question; a ` +
      "specification of kind chat has conversations",
  )
}

/** The input of a chat with its tools as a list and its turns as messages, each a text. */
function chatInput(input: Fields): Fields {
  const turns = turnsOf(input["messages"])
  const { tools } = input
  return {
    ...input,
    ...(turns === undefined ? {} : { messages: turns.map(inOneText) }),
    ...(tools === undefined ? {} : { tools: toolList(tools) }),
  }
}

/** The list that a JSON text stands for, as TRL's files have it; so may the parameters of each tool be. */
export function toolList(tools: unknown): unknown {
  const list = typeof tools === "string" ? (parseJson(tools) ?? tools) : tools
  return Array.isArray(list) ? list.map(withReadParameters) : list
}

function withReadParameters(tool: unknown): unknown {
  if (!isRecord(tool)) return tool
  if (isRecord(tool["function"])) return { ...tool, function: withReadParameters(tool["function"]) }
  const { parameters } = tool
  return typeof parameters === "string" ? { ...tool, parameters: parseJson(parameters) ?? parameters } : tool
}

function hasTools(tools: unknown): boolean {
  const list = toolList(tools)
  return list !== undefined && list !== null && list !== "" && !(Array.isArray(list) && list.length === 0)
}

/** A content in parts that are all texts, as one. */
function inOneText(turn: Turn): Turn {
  const { content } = turn
  if (!Array.isArray(content)) return turn
  const texts = (content as readonly unknown[]).flatMap((part) =>
    isRecord(part) && part["type"] === "text" && typeof part["text"] === "string" ? [part["text"]] : [],
  )
  return texts.length === content.length ? { ...turn, content: texts.join("\n") } : turn
}

function problem(path: string, message: string): { issues: Issue[] } {
  return { issues: [{ path, message }] }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
