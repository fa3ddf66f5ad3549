import { z } from "zod"
import type { Seed } from "../rows/example.ts"
import { objectsIn } from "./json-in-answer.ts"
import { chooseShots, numberOf, shotText } from "./shots.ts"
import type { PlannedPrompt } from "../contracts/strategy.ts"
import { taskRules } from "../task/task-text.ts"
import type { TaskSpecification } from "../task/task.ts"

const proposalSchema = z.object({
  attributes: z.array(z.object({ name: z.string(), values: z.array(z.coerce.string()) })),
})

/**
 * The prompt that asks in what inputs of the task differ: attributes with their values, for a person to choose from.
 */
export function attributesPrompt(task: TaskSpecification, seeds: readonly Seed[]): PlannedPrompt {
  const key = "attributes"
  const shots = chooseShots(seeds, { key, count: 12, tokens: 2000 })
  const system = [
    `You plan a collection of examples for this task: ${task.description.trim()}`,
    ...taskRules(task),
    "Name 3 to 5 attributes in which real inputs differ and that do not decide the output (such as tone, " +
      "length, channel, who writes, what is unclear), each with 3 to 6 values of a few words. Every " +
      "combination of values should be able to occur.",
    `Answer with JSON only: {"attributes": [{"name": …, "values": [… , …]}, …]}.`,
  ]
  const list = { type: "array", items: { type: "string" } }
  const attribute = {
    type: "object",
    additionalProperties: false,
    required: ["name", "values"],
    properties: { name: { type: "string" }, values: list },
  }
  return {
    messages: [
      { role: "system", content: system.join("\n\n") },
      { role: "user", content: `Examples:\n${shots.map(shotText).join("\n")}` },
    ],
    parents: shots.map(({ id }) => id),
    seed: numberOf(key),
    wanted: 1,
    schema: {
      type: "object",
      additionalProperties: false,
      required: ["attributes"],
      properties: { attributes: { type: "array", items: attribute } },
    },
  }
}

/**
 * The attributes in an answer, as the specification may have them: names of letters, digits, spaces and hyphens, at
 * least two different values each; undefined when there are none.
 */
export function readAttributes(text: string): Record<string, string[]> | undefined {
  const proposals = objectsIn(text, () => false).values.map((value) => proposalSchema.safeParse(value).data)
  const proposal = proposals.findLast((found) => found !== undefined)
  if (proposal === undefined) return undefined
  const entries = proposal.attributes.flatMap(({ name, values }): [string, string[]][] => {
    const cleaned = name
      .replace(/[^\w -]+/g, " ")
      .replace(/^[^A-Za-z]+/, "")
      .trim()
      .slice(0, 40)
      .trim()
    const different = [
      ...new Set(values.map((value) => value.replace(/\s+/g, " ").trim()).filter((value) => value !== "")),
    ]
    return cleaned === "" || cleaned === "label" || different.length < 2 ? [] : [[cleaned, different]]
  })
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

/** The attributes as YAML for the specification. */
export function attributesYaml(attributes: Readonly<Record<string, readonly string[]>>): string {
  const lines = Object.entries(attributes).map(
    ([name, values]) =>
      `    ${/^[A-Za-z][\w-]*$/.test(name) ? name : JSON.stringify(name)}: ` +
      `[${values.map((value) => JSON.stringify(value)).join(", ")}]`,
  )
  return ["expand:", "  attributes:", ...lines].join("\n")
}
