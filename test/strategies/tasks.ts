import { contentId, digestText } from "../../src/core/canonical.ts"
import type { RealInput, Seed } from "../../src/core/rows/example.ts"
import type { Failure } from "../../src/core/rows/failure.ts"
import type { StrategyMaterial } from "../../src/core/contracts/strategy.ts"
import { type TaskKind, type TaskSpecification, taskSchema } from "../../src/core/task/task.ts"

const shared = {
  guideline: "Feelings do not matter.",
  expand: { attributes: { tone: ["calm", "angry"], channel: ["mail", "chat", "letter"] } },
}

/** A small task of each kind. */
export const tasks: Readonly<Record<TaskKind, TaskSpecification>> = {
  label: taskSchema.parse({
    ...shared,
    task: "mail",
    kind: "label",
    description: "Sort a mail.",
    input: { body: { description: "The mail" } },
    output: { labels: { order: "where an order is", invoice: "payments", other: "anything else" } },
  }),
  multilabel: taskSchema.parse({
    ...shared,
    task: "topics",
    kind: "multilabel",
    description: "Name the topics of a note.",
    input: { note: {} },
    output: { labels: { price: "money", quality: "how good it is", time: "when" }, minimum: 1 },
  }),
  json: taskSchema.parse({
    ...shared,
    task: "order",
    kind: "json",
    description: "Read an order.",
    input: { message: {}, shop: { required: false } },
    output: {
      schema: {
        type: "object",
        additionalProperties: false,
        required: ["product", "items"],
        $defs: { product: { type: "string", minLength: 1 } },
        properties: {
          product: { $ref: "#/$defs/product" },
          items: {
            type: "array",
            items: { type: "object", properties: { unit: { type: "string" }, quantity: { type: "integer" } } },
          },
        },
      },
    },
  }),
  text: taskSchema.parse({
    ...shared,
    task: "reply",
    kind: "text",
    description: "Answer a customer.",
    input: { message: {}, facts: {} },
    output: { maxLength: 400 },
  }),
  chat: taskSchema.parse({
    ...shared,
    task: "desk",
    kind: "chat",
    description: "Help at the front desk.",
    output: {
      tools: [
        {
          name: "book_room",
          description: "Books a room",
          parameters: { type: "object", properties: { nights: { type: "integer" } }, required: ["nights"] },
        },
        { name: "wake", parameters: {} },
      ],
    },
  }),
}

const words =
  "lamp parcel kettle blue harbour window sugar ticket garden ladder wool bread river copper piano orange".split(" ")

/** A text of its own for each number. */
export function textOf(number: number, length = 9): string {
  const digits = digestText(`text ${number}`).slice(7)
  return `${Array.from({ length }, (_, index) => words[Number.parseInt(digits[index] ?? "0", 16)]).join(" ")} ${number}`
}

/** A valid pair of the task; others for other numbers. */
export function pairOf(task: TaskSpecification, number: number, text = textOf(number)): Pick<Seed, "input" | "output"> {
  switch (task.kind) {
    case "label":
      return { input: { body: text }, output: ["order", "invoice", "other"][number % 3] }
    case "multilabel":
      return { input: { note: text }, output: [["price"], ["quality", "time"], ["time"]][number % 3] }
    case "json":
      return {
        input: { message: text },
        output: { product: words[number % words.length], items: [{ unit: "box", quantity: 1 + (number % 9) }] },
      }
    case "text":
      return { input: { message: text, facts: `fact ${number}` }, output: `Hello, about ${text}` }
    case "chat":
      return {
        input: { messages: [{ role: "user", content: text }] },
        output:
          number % 2 === 0
            ? { content: `Sure, ${text}` }
            : { tool_calls: [{ type: "function", function: { name: "book_room", arguments: { nights: number } } }] },
      }
  }
}

export function seedsOf(task: TaskSpecification, count: number): Seed[] {
  return Array.from({ length: count }, (_, number) => {
    const pair = pairOf(task, number)
    return { id: contentId("seed", pair), ...pair }
  }).sort((a, b) => (a.id < b.id ? -1 : 1))
}

export function inputsOf(task: TaskSpecification, count: number): RealInput[] {
  return Array.from({ length: count }, (_, number) => {
    const { input } = pairOf(task, 1000 + number)
    return { id: contentId("input", input), input }
  }).sort((a, b) => (a.id < b.id ? -1 : 1))
}

export function materialOf(task: TaskSpecification, changes: Partial<StrategyMaterial> = {}): StrategyMaterial {
  const seeds = changes.seeds ?? seedsOf(task, 12)
  const failures: Failure[] = [
    {
      description: 'gives "order" where "invoice" is right',
      label: "invoice",
      instead: "order",
      rows: 3,
      near: seeds.slice(0, 8).map(({ id }) => id),
    },
    {
      description: "gives an answer that is no output of the task",
      rows: 1,
      near: seeds.slice(6, 14).map(({ id }) => id),
    },
  ]
  return { task, seeds, inputs: inputsOf(task, 6), failures, count: 12, asked: 0, covered: new Map(), ...changes }
}
