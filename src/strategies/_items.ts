import type { Input, Output } from "../core/rows/example.ts"
import { parseOutput } from "../core/task/output.ts"
import { isRecord, objectsIn, withKeysInLowerCase } from "../core/growing/json-in-answer.ts"
import { show } from "../core/parse.ts"
import type { Draft, ParsedAnswer, PlannedPrompt } from "../core/contracts/strategy.ts"
import { labelsOf, type TaskSpecification } from "../core/task/task.ts"

/** Raised when `parseExamples` reads another thing from the same answer. */
export const itemSemantics = 2
/** Raised when `parseExamples` reads answers that it could not read before. */
export const itemsLearnt = 1

/** What an answer is made of: whole pairs, or the inputs alone where the prompt gives the output. */
export type ItemForm = "pair" | "input"

/**
 * The drafts in an answer: `{"examples": […]}`, an array, objects by their numbers or one after the other; in a code
 * fence, with prose around them, cut at the end. An input with a single field may be its text alone. Outputs are read
 * as a person would write them: a label whatever its case. What was to be an example and cannot be read is a problem.
 */
export function parseExamples(
  text: string,
  prompt: PlannedPrompt,
  { task }: { readonly task: TaskSpecification },
): ParsedAnswer {
  const form: ItemForm = prompt.given?.output === undefined ? "pair" : "input"
  const wanted = form === "pair" ? "input and output" : "input"
  const { items, broken } = itemsIn(text)
  const problems = broken.map((part) => `an example that is no JSON: ${show(part)}`)
  if (items.length === 0 && problems.length === 0)
    return { drafts: [], problems: [`the answer holds no JSON object with ${wanted}`] }
  const drafts = items.flatMap((item): Draft[] => {
    if (!("input" in item) || (form === "pair" && !("output" in item))) {
      problems.push(`an object without ${wanted}: ${show(item)}`)
      return []
    }
    const input = readInput(task, item["input"])
    if (input === undefined) {
      problems.push(`an input that is not an object: ${show(item["input"])}`)
      return []
    }
    const output = form === "pair" ? readOutput(task, item["output"]) : prompt.given?.output
    return [
      {
        input,
        output,
        parents: prompt.parents,
        ...(prompt.cell === undefined ? {} : { cell: cellOf(task, prompt.cell, output) }),
      },
    ]
  })
  return { drafts, problems }
}

/** JSON Schema of the answer that `parseExamples` reads. */
export function itemSchema(task: TaskSpecification, form: ItemForm): Record<string, unknown> {
  const pair = { input: inputSchema(task), ...(form === "pair" ? { output: outputSchema(task) } : {}) }
  const whole = objectSchema({ examples: { type: "array", items: objectSchema(pair) } })
  // What the output's schema refers to is looked for at the root.
  const shared = task.kind === "json" && form === "pair" ? task.output.schema : {}
  return { ...whole, ...pick(shared, "$defs"), ...pick(shared, "definitions") }
}

function readInput(task: TaskSpecification, value: unknown): Input | undefined {
  const [only, ...more] = task.kind === "chat" ? ["messages"] : Object.keys(task.input)
  if ((typeof value === "string" && task.kind !== "chat") || Array.isArray(value))
    return only !== undefined && more.length === 0 ? { [only]: value } : undefined
  return isRecord(value) ? withFieldNames(task, value) : undefined
}

/** The input with each field by the name that the task gives it, whatever its case; a name as it stands comes first. */
function withFieldNames(task: TaskSpecification, input: Input): Input {
  const fields = task.kind === "chat" ? ["messages"] : Object.keys(task.input)
  const meant = (key: string) => {
    const [field, ...more] = fields.filter((name) => name.toLowerCase() === key.toLowerCase())
    return field === undefined || more.length > 0 || Object.hasOwn(input, field) ? key : field
  }
  return Object.fromEntries(Object.entries(input).map(([key, value]) => [meant(key), value]))
}

function readOutput(task: TaskSpecification, value: unknown): Output {
  return typeof value === "string" ? (parseOutput(task, value) ?? value) : value
}

/** The cell that came of it: a model that was asked for one label may give another. */
function cellOf(
  task: TaskSpecification,
  cell: NonNullable<PlannedPrompt["cell"]>,
  output: Output,
): NonNullable<PlannedPrompt["cell"]> {
  const labels = labelsOf(task)
  const given = (Array.isArray(output) ? output : [output]).filter((label): label is string =>
    labels.includes(label as string),
  )
  const wished = cell["label"]
  return wished === undefined || given.includes(wished) || given[0] === undefined ? cell : { ...cell, label: given[0] }
}

/** The objects in an answer that may be examples, and what was to be one and is not. */
function itemsIn(text: string): { readonly items: readonly Record<string, unknown>[]; readonly broken: string[] } {
  const { values, broken } = objectsIn(text, (body) => /^\{\s*["']?(?:input|output)["']?\s*:/i.test(body))
  const members = values.flatMap((value) => membersOf(value))
  return {
    items: members.filter(isRecord),
    broken: [...broken, ...members.flatMap((member) => (isRecord(member) ? [] : [JSON.stringify(member)]))],
  }
}

/** An example itself, or those in it: in lists, or as values by their numbers. Remarks beside examples are none. */
function membersOf(value: Record<string, unknown>, depth = 0): unknown[] {
  const lower = withKeysInLowerCase(value)
  if ("input" in lower) return [lower]
  const inside = (member: unknown) => (isRecord(member) && depth < 2 ? membersOf(member, depth + 1) : [member])
  const lists = Object.values(value).filter((member) => Array.isArray(member) && member.some(isRecord)) as unknown[][]
  const named = Object.values(value).filter(isRecord).flatMap(inside)
  const found = [...lists.flat().flatMap(inside), ...named.filter(isPart)]
  return found.length === 0 ? [value] : found
}

function isPart(member: unknown): boolean {
  return isRecord(member) && ("input" in member || "output" in member)
}

function inputSchema(task: TaskSpecification): Record<string, unknown> {
  if (task.kind === "chat") {
    const turn = objectSchema({ role: { enum: ["system", "user", "assistant", "tool"] }, content: { type: "string" } })
    return objectSchema({ messages: { type: "array", items: turn } })
  }
  const fields = Object.entries(task.input)
  return objectSchema(
    Object.fromEntries(
      fields.map(([name, { type, description }]) => [
        name,
        { type, ...(description === undefined ? {} : { description }) },
      ]),
    ),
    fields.flatMap(([name, { required }]) => (required ? [name] : [])),
  )
}

function outputSchema(task: TaskSpecification): Record<string, unknown> {
  switch (task.kind) {
    case "label":
      return { enum: labelsOf(task) }
    case "multilabel":
      return { type: "array", items: { enum: labelsOf(task) } }
    case "json": {
      const { $defs: _defs, definitions: _definitions, $schema: _schema, $id: _id, ...schema } = task.output.schema
      return schema
    }
    case "text":
      return { type: "string" }
    case "chat": {
      const calls = task.output.tools.map(({ name, parameters }) =>
        objectSchema({
          type: { enum: ["function"] },
          function: objectSchema({ name: { enum: [name] }, arguments: { type: "object", ...parameters } }),
        }),
      )
      const said = objectSchema({ content: { type: "string" } })
      return calls.length === 0
        ? said
        : { anyOf: [said, objectSchema({ tool_calls: { type: "array", items: { anyOf: calls } } })] }
    }
  }
}

function objectSchema(
  properties: Record<string, unknown>,
  required: readonly string[] = Object.keys(properties),
): Record<string, unknown> {
  return { type: "object", additionalProperties: false, required, properties }
}

function pick(from: Readonly<Record<string, unknown>>, key: string): Record<string, unknown> {
  return from[key] === undefined ? {} : { [key]: from[key] }
}
