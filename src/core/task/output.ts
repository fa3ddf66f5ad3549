import { canonicalJson, canonicalText, canonicalValue } from "../canonical.ts"
import type { Issue } from "../errors.ts"
import { parseExact, parseJson } from "../json-text.ts"
import type { Input, Output } from "../rows/example.ts"
import { nearest, show } from "../parse.ts"
import { chatInputIssues, chatOutputIssues, saidInTurn } from "./chat.ts"
import { validatorOf } from "./json-schema.ts"
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

/**
 * What is wrong with an output of the task; empty when it is valid. A chat's input may bring its own tools: without it
 * calls are checked by those of the specification.
 */
export function outputIssues(task: TaskSpecification, output: unknown, input?: Input): Issue[] {
  const path = "output"
  switch (task.kind) {
    case "label":
      return typeof output === "string" && Object.hasOwn(task.output.labels, output)
        ? []
        : [{ path, message: labelMessage(task, output) }]
    case "multilabel": {
      if (output === "" && task.output.minimum === 0) return [{ path, message: "empty; write [] where no label fits" }]
      if (!Array.isArray(output))
        return [{ path, message: `expected a list of labels, in a text parted by commas, got ${show(output)}` }]
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
      return chatOutputIssues(task, output, input, (value, path) => textIssues(value, path, task.output))
  }
}

/**
 * The output that a text stands for (a spreadsheet cell, a model's answer): a label by its name whatever its case,
 * labels separated by commas, JSON, or the text; undefined when it stands for none. Of a chat the input may bring its
 * own tools.
 */
export function parseOutput(task: TaskSpecification, text: string, input?: Input): Output | undefined {
  const trimmed = canonicalText(text).trim()
  switch (task.kind) {
    case "label":
      return matchLabel(task, trimmed)
    case "multilabel": {
      const matched = listedLabels(task, trimmed)
      if (matched === undefined) return undefined
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
        return outputIssues(task, value, input).length === 0 ? value : undefined
      } catch {
        return task.kind === "chat" && trimmed !== "" && !trimmed.startsWith("{") ? { content: trimmed } : undefined
      }
    }
    case "text":
      return outputIssues(task, trimmed).length === 0 ? trimmed : undefined
  }
}

/**
 * The output that a value of somebody's file stands for, whatever the file: a label by its text (1, true and ["spam"]
 * too), a list of labels likewise, a number where a text is wanted as text, a text that is the JSON that is wanted as
 * such; any other value as it is.
 */
export function givenOutput(task: TaskSpecification, value: unknown, input?: Input): unknown {
  switch (task.kind) {
    case "label": {
      const text = scalarText(Array.isArray(value) && value.length === 1 ? (value as unknown[])[0] : value)
      return text === undefined
        ? value
        : (matchLabel(task, canonicalText(text).trim()) ?? wholeLabel(task, text) ?? text)
    }
    case "multilabel": {
      // Label Studio's cell.
      const choices = typeof value === "string" && value.trimStart().startsWith("{") ? parseJson(value) : value
      if (isRecord(choices) && Array.isArray(choices["choices"])) return givenOutput(task, choices["choices"])
      // A blank cell is no answer; that no label fits is written as [].
      if (typeof value === "string") return value.trim() === "" ? "" : (parseOutput(task, value) ?? value)
      const list: readonly unknown[] = Array.isArray(value) ? value : [value]
      const texts = list.map(scalarText)
      return texts.includes(undefined)
        ? value
        : texts.map(
            (text) => matchLabel(task, canonicalText(text ?? "").trim()) ?? wholeLabel(task, text ?? "") ?? text,
          )
    }
    case "text":
      return scalarText(value) ?? value
    case "json":
      if (typeof value !== "string" || outputIssues(task, value).length === 0) return value
      return parseOutput(task, value) ?? parseJson(value) ?? value
    case "chat":
      return typeof value === "string" ? (parseOutput(task, value, input) ?? parseJson(value) ?? value) : value
  }
}

function scalarText(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined
}

/** The label 1 of 1.0: what a table makes of whole numbers beside empty cells. */
function wholeLabel(task: TaskSpecification, text: string): string | undefined {
  const whole = /^\s*(-?\d+)\.0+\s*$/.exec(text)?.[1]
  return whole === undefined ? undefined : matchLabel(task, whole)
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

/**
 * Whether two outputs say the same: label, set of labels, canonical JSON, text up to case and white space, or the same
 * text and calls of a turn.
 */
export function sameOutput(task: TaskSpecification, a: Output, b: Output): boolean {
  switch (task.kind) {
    case "label":
      return a === b
    case "multilabel":
      return canonicalJson([...(a as string[])].sort()) === canonicalJson([...(b as string[])].sort())
    case "json":
      return canonicalJson(a) === canonicalJson(b)
    case "chat":
      return canonicalJson(saidInTurn(a)) === canonicalJson(saidInTurn(b))
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

/**
 * The labels of a list in a text: parted by commas, as JSON and Python write lists too; else by the one other sign that
 * leaves nothing but labels, or in quotes alone, as numpy prints them. Undefined where a part is no label.
 */
function listedLabels(task: TaskSpecification, text: string): readonly string[] | undefined {
  const all = (parts: readonly string[]) => {
    const found = parts.map((part) => part.trim()).filter((part) => part !== "")
    const labels = found.map((part) => matchLabel(task, part))
    return labels.every((label) => label !== undefined) ? labels : undefined
  }
  const bare = text.replace(/^\[|\]$/g, "")
  const readings = [text, bare].map((list) => all(list.split(",")))
  const signs = readings.some((labels) => labels !== undefined) ? [] : otherSigns.map((sign) => bare.split(sign))
  const quoted = quotedAlone.test(bare) ? [bare.split(/['"]/)] : []
  return [...readings, ...[...signs, ...quoted].map(all)].find((labels) => labels !== undefined)
}

const otherSigns = [";", "|", "#", "/", "\n"]
const quotedAlone = /^\s*(?:'[^']*'|"[^"]*")(?:\s+(?:'[^']*'|"[^"]*"))+\s*$/

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

function allowedValues(parameters: Record<string, unknown>): string {
  if (Array.isArray(parameters["allowedValues"])) return `: ${parameters["allowedValues"].map(String).join(", ")}`
  const key = parameters["additionalProperty"] ?? parameters["missingProperty"]
  return key === undefined ? "" : ` (${String(key)})`
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
