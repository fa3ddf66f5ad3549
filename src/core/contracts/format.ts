import type { Input } from "../rows/example.ts"
import type { Message } from "../task/prompt.ts"
import type { TaskSpecification } from "../task/task.ts"

/** A function the model may call, as chat servers and chat templates are told of it. */
export interface ToolDefinition {
  readonly type: "function"
  readonly function: { readonly name: string; readonly description?: string | undefined; readonly parameters: unknown }
}

/** A training row as the trainer renders it: the messages end with the answer. */
export interface RenderedRow {
  readonly id: string
  readonly messages: readonly Message[]
  /** Empty where the task has none. */
  readonly tools: readonly ToolDefinition[]
}

/** A preference as it is rendered: one question and two answers to it. */
export interface RenderedPreference {
  readonly id: string
  readonly question: readonly Message[]
  readonly chosen: Message
  readonly rejected: Message
  readonly tools: readonly ToolDefinition[]
}

interface SharedFormat<Row> {
  readonly summary: string
  /** Which trainers and services read it. */
  readonly readBy: string
  readonly ending: ".jsonl" | ".parquet"
  /** For a format that is a folder with names of its own. */
  readonly names?: { readonly train: string; readonly validation: string; readonly test: string }
  /** Why the format cannot carry the row; undefined when it can. A row is never bent to fit. */
  problem?(row: Row): string | undefined
  /** The row in the format; throws nothing for a row without a problem. */
  row(row: Row): Readonly<Record<string, unknown>>
  /**
   * What a reader of the format makes of it. Every row is read back before it is written: what comes back must be what
   * the trainer renders.
   */
  read(value: Readonly<Record<string, unknown>>): Omit<Row, "id" | "tools">
  /**
   * The file's bytes in pieces, made while the rows are gone through: they never are in memory all at once. Without it,
   * JSON Lines.
   */
  encode?(rows: Iterable<Readonly<Record<string, unknown>>>): Promise<Iterable<Uint8Array>>
}

/** The default export of a file in formats/, whose name is the format's id. */
export type DatasetFormat =
  | (SharedFormat<RenderedRow> & { readonly carries: "examples" })
  | (SharedFormat<RenderedPreference> & { readonly carries: "preferences" })

/** The tools of an input: its own, else those of the task. */
export function toolsOf(task: TaskSpecification, input: Input): ToolDefinition[] {
  if (task.kind !== "chat") return []
  const own = input["tools"]
  const tools: readonly unknown[] = Array.isArray(own) ? own : task.output.tools
  return tools.map((tool) =>
    isWrapped(tool) ? withType(tool) : { type: "function" as const, function: tool as ToolDefinition["function"] },
  )
}

/**
 * The messages with every tool call in one shape: type `function`, an id that the turn of the tool names, and arguments
 * as chat services (`text`) or chat templates (`object`) want them. Messages without tool calls stay as they are.
 */
export function withToolCalls(messages: readonly Message[], wanted: "text" | "object"): Message[] {
  let calls = 0
  const unanswered: string[] = []
  return messages.map((message) => {
    if (message.role === "tool") {
      const next = unanswered.shift()
      const id = message["tool_call_id"] ?? next
      return id === undefined ? message : { ...message, tool_call_id: id }
    }
    const called = message["tool_calls"]
    if (!Array.isArray(called)) return message
    const shaped = (called as readonly ToolCall[]).map((call) => {
      const id = call.id ?? `call_${++calls}`
      unanswered.push(id)
      return {
        id,
        type: "function",
        function: { name: call.function.name, arguments: argumentsAs(call.function.arguments, wanted) },
      }
    })
    return { ...message, content: message.content ?? "", tool_calls: shaped }
  })
}

/** Whether a row needs a format that knows of tools. */
export function usesTools({ messages, tools }: Pick<RenderedRow, "messages" | "tools">): boolean {
  return tools.length > 0 || messages.some((message) => message.role === "tool" || message["tool_calls"] !== undefined)
}

interface ToolCall {
  readonly id?: string
  readonly function: { readonly name: string; readonly arguments: unknown }
}

function argumentsAs(value: unknown, wanted: "text" | "object"): unknown {
  if (wanted === "text") return typeof value === "string" ? value : JSON.stringify(value ?? {})
  if (typeof value !== "string") return value ?? {}
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

/** Services refuse a tool that does not say that it is a function. */
function withType(tool: ToolDefinition): ToolDefinition {
  return (tool as Partial<ToolDefinition>).type === undefined ? { ...tool, type: "function" } : tool
}

function isWrapped(tool: unknown): tool is ToolDefinition {
  return typeof tool === "object" && tool !== null && "function" in tool
}
