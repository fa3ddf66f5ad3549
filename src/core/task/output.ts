import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js"
import addFormats from "ajv-formats"
import { canonicalJson, canonicalText, canonicalValue } from "../canonical.ts"
import type { Issue } from "../errors.ts"
import { parseExact } from "../json-text.ts"
import type { Input, Output } from "../rows/example.ts"
import { nearest, show } from "../parse.ts"
import { labelsOf, type TaskSpecification } from "./task.ts"

/** What is wrong with an input of the task; empty when it is valid. */
export function inputIssues(task: TaskSpecification, input: unknown): Issue[] {
  if (!isRecord(input)) return [{ path: "input", message: `expected an object, got ${show(input)}` }]
  if (task.kind === "chat") return chatInputIssues(input)
  const issues: Issue[] = []
  for (const [name, field] of Object.entries(task.input)) {
    const value = input[name]
    const path = `input.${name}`
    if (value === undefined || value === null || value === "") {
      if (field.required) issues.push({ path, message: "missing" })
    } else if (typeof value !== field.type)
      issues.push({ path, message: `expected a ${field.type}, got ${show(value)}` })
    else if (typeof value === "string" && value.length > field.maxLength)
      issues.push({
        path,
        message:
          `${value.length} characters; at most ${field.maxLength} allowed (input.${name}.maxLength in the ` +
          "specification)",
      })
    else if (typeof value === "string" && field.required && value.trim() === "")
      issues.push({ path, message: "only white space" })
  }
  for (const name of Object.keys(input)) {
    if (Object.hasOwn(task.input, name)) continue
    const meant = nearest(name, Object.keys(task.input))
    issues.push({
      path: `input.${name}`,
      message:
        "unknown field; allowed: " +
        `${Object.keys(task.input).join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`,
    })
  }
  return issues
}

/** What is wrong with an output of the task; empty when it is valid. */
export function outputIssues(task: TaskSpecification, output: unknown): Issue[] {
  const path = "output"
  switch (task.kind) {
    case "label":
      return typeof output === "string" && Object.hasOwn(task.output.labels, output)
        ? []
        : [{ path, message: labelMessage(task, output) }]
    case "multilabel": {
      if (!Array.isArray(output)) return [{ path, message: `expected a list of labels, got ${show(output)}` }]
      const unknown = output.filter((label) => !(typeof label === "string" && Object.hasOwn(task.output.labels, label)))
      if (unknown.length > 0) return unknown.map((label) => ({ path, message: labelMessage(task, label) }))
      if (new Set(output).size < output.length) return [{ path, message: `a label is repeated in ${show(output)}` }]
      return output.length < task.output.minimum
        ? [{ path, message: `at least ${task.output.minimum} labels, got ${output.length}` }]
        : []
    }
    case "json": {
      const validate = validatorOf(task.output.schema)
      if (validate(output)) return []
      return (validate.errors ?? []).map((error) => ({
        path: `output${error.instancePath.replaceAll("/", ".")}`,
        message: `${error.message ?? "invalid"}${allowedValues(error.params)}`,
      }))
    }
    case "text":
      return textIssues(output, path, task.output)
    case "chat":
      return chatOutputIssues(task, output)
  }
}

/**
 * The output that a text stands for (a spreadsheet cell, a model's answer): a label by its name whatever its case,
 * labels separated by commas, JSON, or the text; undefined when it stands for none.
 */
export function parseOutput(task: TaskSpecification, text: string): Output | undefined {
  const trimmed = canonicalText(text).trim()
  switch (task.kind) {
    case "label":
      return matchLabel(task, trimmed)
    case "multilabel": {
      const match = (list: string) =>
        list
          .split(",")
          .map((part) => part.trim())
          .filter((part) => part !== "")
          .map((part) => matchLabel(task, part))
      const plain = match(trimmed)
      const matched = plain.includes(undefined) ? match(trimmed.replace(/^\[|\]$/g, "")) : plain
      if (matched.includes(undefined)) return undefined
      const labels = labelsOf(task).filter((label) => matched.includes(label))
      return outputIssues(task, labels).length === 0 ? labels : undefined
    }
    case "json":
    case "chat": {
      const body = trimmed.replace(/^```(?:json)?\s*/, "").replace(/\s*```$/, "")
      try {
        // Escapes in JSON can hold texts that are not canonical yet.
        const value: unknown = canonicalValue(parseExact(body))
        if (task.kind === "chat" && !isRecord(value)) return { content: trimmed }
        return outputIssues(task, value).length === 0 ? value : undefined
      } catch {
        return task.kind === "chat" && trimmed !== "" && !trimmed.startsWith("{") ? { content: trimmed } : undefined
      }
    }
    case "text":
      return outputIssues(task, trimmed).length === 0 ? trimmed : undefined
  }
}

/** The output as text: what a model is trained to answer and what a spreadsheet cell shows. */
export function formatOutput(task: TaskSpecification, output: Output): string {
  switch (task.kind) {
    case "label":
    case "text":
      return String(output)
    case "multilabel":
      return (output as readonly string[]).join(", ")
    case "json":
      return JSON.stringify(output)
    case "chat":
      // A content that would be read back as JSON is written as JSON.
      return isRecord(output) &&
        typeof output["content"] === "string" &&
        Object.keys(output).length === 1 &&
        !/^\s*(\{|```)/.test(output["content"])
        ? output["content"]
        : JSON.stringify(output)
  }
}

/** Whether two outputs say the same: label, set of labels, canonical JSON, or text up to case and white space. */
export function sameOutput(task: TaskSpecification, a: Output, b: Output): boolean {
  switch (task.kind) {
    case "label":
      return a === b
    case "multilabel":
      return canonicalJson([...(a as string[])].sort()) === canonicalJson([...(b as string[])].sort())
    case "json":
    case "chat":
      return canonicalJson(a) === canonicalJson(b)
    case "text":
      return foldText(String(a)) === foldText(String(b))
  }
}

/**
 * The text of an input: its string fields, or the contents of its turns, joined by newlines; what duplicates are judged
 * on.
 */
export function inputText(task: TaskSpecification, input: Input): string {
  if (task.kind === "chat") {
    const messages = Array.isArray(input["messages"]) ? (input["messages"] as { content?: unknown }[]) : []
    return messages.map((message) => (typeof message.content === "string" ? message.content : "")).join("\n")
  }
  return Object.keys(task.input)
    .map((name) => input[name])
    .filter((value) => value !== undefined && value !== null)
    .map(String)
    .join("\n")
}

/** The stratum of an example for holding out: its label, its labels, or `all`. */
export function stratumOf(task: TaskSpecification, output: Output): string {
  if (task.kind === "label") return String(output)
  if (task.kind === "multilabel") return (output as readonly string[]).join("+") || "none"
  return "all"
}

function foldText(text: string): string {
  return canonicalText(text).toLowerCase().replace(/\s+/g, " ").trim()
}

function matchLabel(task: TaskSpecification, text: string): string | undefined {
  // A label as it is written comes first: labels may differ in case alone, or end with a dot.
  const labels = labelsOf(task)
  if (labels.includes(text)) return text
  const folded = text.toLowerCase()
  const cleaned = folded.replace(/^["'`*]+|["'`*.]+$/g, "")
  return (
    labels.find((label) => label.toLowerCase() === folded) ?? labels.find((label) => label.toLowerCase() === cleaned)
  )
}

function labelMessage(task: TaskSpecification, output: unknown): string {
  const labels = labelsOf(task)
  const meant = typeof output === "string" ? nearest(output, labels) : undefined
  return `${output === undefined ? "missing" : `got ${show(output)}`}; allowed: ${labels.join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`
}

function textIssues(value: unknown, path: string, limits: { minLength?: number; maxLength: number }): Issue[] {
  if (typeof value !== "string") return [{ path, message: `expected a text, got ${show(value)}` }]
  if (value.trim().length < (limits.minLength ?? 1))
    return [{ path, message: value.trim() === "" ? "empty" : `shorter than ${limits.minLength} characters` }]
  if (value.length > limits.maxLength)
    return [{ path, message: `${value.length} characters; at most ${limits.maxLength} allowed` }]
  return []
}

function chatInputIssues(input: Record<string, unknown>): Issue[] {
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
  return issues
}

function chatOutputIssues(task: Extract<TaskSpecification, { kind: "chat" }>, output: unknown): Issue[] {
  if (!isRecord(output))
    return [{ path: "output", message: `expected a turn {content} or {tool_calls}, got ${show(output)}` }]
  const calls = output["tool_calls"]
  if (calls === undefined) return textIssues(output["content"], "output.content", task.output)
  if (!Array.isArray(calls) || calls.length === 0)
    return [{ path: "output.tool_calls", message: `expected a list of calls, got ${show(calls)}` }]
  return calls.flatMap((call: unknown, index): Issue[] => {
    const called = isRecord(call) && isRecord(call["function"]) ? call["function"] : undefined
    const tool = task.output.tools.find((candidate) => candidate.name === called?.["name"])
    const path = `output.tool_calls[${index}].function`
    if (!tool)
      return [
        {
          path: `${path}.name`,
          message: `got ${show(called?.["name"])}; allowed: ${task.output.tools.map(({ name }) => name).join(", ") || "none (the specification has no tools)"}`,
        },
      ]
    return toolArgumentIssues(tool.parameters, called?.["arguments"], `${path}.arguments`)
  })
}

function toolArgumentIssues(schema: Record<string, unknown>, value: unknown, path: string): Issue[] {
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

// A compiled schema is a pure function of the schema's object: the cache only saves time.
const validators = new WeakMap<object, ValidateFunction>()

/** The compiled validator of a JSON Schema (2020-12); throws when the schema itself is invalid. */
export function validatorOf(schema: Record<string, unknown>): ValidateFunction {
  let validate = validators.get(schema)
  if (!validate) {
    const ajv = new Ajv2020({ allErrors: true, strict: false })
    addFormats.default(ajv)
    validate = ajv.compile(schema)
    validators.set(schema, validate)
  }
  return validate
}

function allowedValues(parameters: Record<string, unknown>): string {
  if (Array.isArray(parameters["allowedValues"])) return `: ${parameters["allowedValues"].map(String).join(", ")}`
  const key = parameters["additionalProperty"] ?? parameters["missingProperty"]
  return key === undefined ? "" : ` (${String(key)})`
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
