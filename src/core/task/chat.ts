import type { Issue } from "../errors.ts"
import type { Input } from "../rows/example.ts"
import { parseJson } from "../json-text.ts"
import { nearest, show } from "../parse.ts"
import { validatorOf } from "./json-schema.ts"
import type { TaskSpecification } from "./task.ts"

type ChatTask = Extract<TaskSpecification, { kind: "chat" }>

/** A tool as calls are checked by it. */
interface CalledTool {
  readonly name: string
  readonly parameters: Record<string, unknown>
}

/** What is wrong with the input of a chat task; empty when it is valid. */
export function chatInputIssues(input: Record<string, unknown>): Issue[] {
  const messages = input["messages"]
  if (!Array.isArray(messages) || messages.length === 0)
    return [{ path: "input.messages", message: `expected a list of turns, got ${show(messages)}` }]
  const issues = messages.flatMap((message: unknown, index): Issue[] => {
    const path = `input.messages[${index}]`
    if (!isRecord(message)) return [{ path, message: `expected a turn {role, content}, got ${show(message)}` }]
    const role = message["role"]
    if (!["system", "user", "assistant", "tool"].includes(String(role)))
      return [{ path: `${path}.role`, message: `got ${show(role)}; allowed: system, user, assistant, tool` }]
    const hasCalls = role === "assistant" && Array.isArray(message["tool_calls"])
    return typeof message["content"] === "string" || hasCalls
      ? []
      : [{ path: `${path}.content`, message: `expected a text, got ${show(message["content"])}` }]
  })
  const last: unknown = messages.at(-1)
  if (issues.length === 0 && isRecord(last) && last["role"] === "assistant")
    issues.push({
      path: `input.messages[${messages.length - 1}].role`,
      message: "the last turn must not be the assistant's: that is the output",
    })
  return [...issues, ...toolsIssues(input["tools"])]
}

/** What is wrong with the tools that a row brings along; nothing where it brings none. */
function toolsIssues(tools: unknown): Issue[] {
  if (tools === undefined || tools === null) return []
  if (!Array.isArray(tools)) return [{ path: "input.tools", message: `expected a list of tools, got ${show(tools)}` }]
  return tools.flatMap((tool: unknown, index): Issue[] => {
    const path = `input.tools[${index}]`
    const called = toolOf(tool)
    if (called === undefined)
      return [{ path, message: `expected a tool {name, description?, parameters?}, got ${show(tool)}` }]
    try {
      validatorOf(called.parameters)
      return []
    } catch (error) {
      return [{ path: `${path}.parameters`, message: `not a valid JSON Schema: ${(error as Error).message}` }]
    }
  })
}

/** What is wrong with the target turn of a chat task; calls are checked by the row's own tools, if it has some. */
export function chatOutputIssues(
  task: ChatTask,
  output: unknown,
  input: Input | undefined,
  textIssues: (value: unknown, path: string) => Issue[],
): Issue[] {
  if (!isRecord(output))
    return [{ path: "output", message: `expected a turn {content} or {tool_calls}, got ${show(output)}` }]
  if (output["weight"] === 0)
    return [{ path: "output.weight", message: "0: the turn says that nothing is to be learned from it" }]
  const calls = output["tool_calls"]
  if (calls === undefined) return textIssues(output["content"], "output.content")
  if (!Array.isArray(calls) || calls.length === 0)
    return [{ path: "output.tool_calls", message: `expected a list of calls, got ${show(calls)}` }]
  const own = input?.["tools"]
  const tools = Array.isArray(own) ? own.flatMap((tool) => toolOf(tool) ?? []) : task.output.tools
  return calls.flatMap((call: unknown, index): Issue[] => {
    const called = isRecord(call) && isRecord(call["function"]) ? call["function"] : undefined
    const tool = tools.find((candidate) => candidate.name === called?.["name"])
    const path = `output.tool_calls[${index}].function`
    if (tool !== undefined) return argumentIssues(tool.parameters, called?.["arguments"], `${path}.arguments`)
    const names = tools.map(({ name }) => name)
    const meant = typeof called?.["name"] === "string" ? nearest(called["name"], names) : undefined
    const none = Array.isArray(own)
      ? "none (the row's list of tools is empty)"
      : "none (neither the row nor the specification has tools)"
    return [
      {
        path: `${path}.name`,
        message:
          `got ${show(called?.["name"])}; allowed: ${names.join(", ") || none}` +
          (meant ? `; did you mean ${show(meant)}?` : ""),
      },
    ]
  })
}

/** What a turn says: its text, and what it calls. Names and weights of turns and the ids of calls say nothing. */
export function saidInTurn(output: unknown): { readonly text: string; readonly calls: readonly unknown[] } {
  const { content, tool_calls: calls } = output as { content?: unknown; tool_calls?: unknown }
  return {
    text: typeof content === "string" ? content : "",
    calls: Array.isArray(calls) ? calls.map(calledFunction) : [],
  }
}

function calledFunction(call: unknown): unknown {
  const { name, arguments: given } = (call as { function?: { name?: unknown; arguments?: unknown } }).function ?? {}
  const value = typeof given === "string" ? (parseJson(given) ?? given) : given
  return { name: name ?? null, arguments: value ?? {} }
}

function argumentIssues(schema: Record<string, unknown>, value: unknown, path: string): Issue[] {
  let parsed = value
  if (typeof value === "string") {
    try {
      parsed = JSON.parse(value)
    } catch {
      return [{ path, message: `not valid JSON: ${show(value)}` }]
    }
  }
  const validate = validatorOf(schema)
  return validate(parsed)
    ? []
    : (validate.errors ?? []).map((error) => ({
        path: `${path}${error.instancePath.replaceAll("/", ".")}`,
        message: error.message ?? "invalid",
      }))
}

/** A tool in either form: `{name, …}`, or `{type: function, function: {name, …}}`. */
function toolOf(tool: unknown): CalledTool | undefined {
  const plain = isRecord(tool) && isRecord(tool["function"]) ? tool["function"] : tool
  if (!isRecord(plain) || typeof plain["name"] !== "string" || plain["name"] === "") return undefined
  const { name, parameters = {} } = plain
  return isRecord(parameters) ? { name, parameters } : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
