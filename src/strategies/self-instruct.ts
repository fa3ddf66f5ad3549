import { z } from "zod"
import { canonicalValue, digest } from "../core/canonical.ts"
import type { Seed } from "../core/example.ts"
import { formatOutput } from "../core/output.ts"
import { parseJson } from "../core/parse.ts"
import type { ModelStrategy, PlannedPrompt, StrategyMaterial } from "../core/strategy.ts"
import { labelsOf } from "../core/task.ts"

const options = z.strictObject({
  count: z.int().positive().default(50).describe("How many candidates to ask for"),
  perRequest: z.int().min(1).max(20).default(5).describe("How many examples one request asks for"),
  shots: z.int().min(1).max(20).default(6).describe("How many seeds each request shows"),
})
type Options = z.output<typeof options>

/** Asks a model for new examples like a few seeds of the train split, in the manner of Self-Instruct (Wang et al., 2023, arXiv 2212.10560). Which seeds a request shows follows from a digest; labels take turns. */
const strategy: ModelStrategy<Options> = {
  summary: "New examples in the manner of a few seeds, from any chat model",
  asksModel: true,
  options,
  plan(material, given) {
    if (material.seeds.length === 0) return []
    const requests = Math.ceil(material.count / given.perRequest)
    return Array.from({ length: requests }, (_, index) => promptFor(material, given, index))
  },
  parse(text, prompt, material) {
    const items = jsonItems(text)
    if (items.length === 0) return { drafts: [], problems: ["the answer holds no JSON object with input and output"] }
    const field = material.task.kind === "chat" ? undefined : Object.keys(material.task.input)
    const problems: string[] = []
    const drafts = items.flatMap((item) => {
      if (!("input" in item) || !("output" in item)) {
        problems.push("an object without input and output")
        return []
      }
      const input = typeof item["input"] === "string" && field?.length === 1 ? { [field[0] as string]: item["input"] } : item["input"]
      if (typeof input !== "object" || input === null || Array.isArray(input)) {
        problems.push("an input that is not an object")
        return []
      }
      return [{ input: input as Record<string, unknown>, output: item["output"], parents: prompt.parents }]
    })
    return { drafts, problems }
  },
}
export default strategy

function promptFor(material: StrategyMaterial, given: Options, index: number): PlannedPrompt {
  const { task } = material
  const labels = labelsOf(task)
  const label = task.kind === "label" ? labels[index % labels.length] : undefined
  const shots = chooseShots(material.seeds, given.shots, index, label)
  const rules = [
    `You write examples for this task: ${task.description.trim()}`,
    task.guideline.trim() === "" ? "" : `Guideline:\n${task.guideline.trim()}`,
    labels.length === 0
      ? ""
      : `Labels:\n${labels.map((name) => `- ${name}: ${(task.output as { labels: Record<string, string> }).labels[name]}`).join("\n")}`,
    `Answer with ${given.perRequest} new examples, one JSON object a line, each {"input": …, "output": …} in the form of the examples. Write nothing else.`,
  ]
  const examples = shots.map((seed) => JSON.stringify({ input: seed.input, output: seed.output })).join("\n")
  const wish =
    label === undefined
      ? "Make them different from these and from each other."
      : `All with the output ${JSON.stringify(formatOutput(task, label))}; make them different from these and from each other.`
  return {
    messages: [
      { role: "system", content: rules.filter((part) => part !== "").join("\n\n") },
      { role: "user", content: `Examples:\n${examples}\n\n${wish}` },
    ],
    parents: shots.map(({ id }) => id),
    seed: index,
  }
}

/** Half of the shots from the wanted label, where there is one; the order follows from a digest of the request's number and the seed. */
function chooseShots(seeds: readonly Seed[], count: number, index: number, label: string | undefined): Seed[] {
  const keyed = seeds.map((seed) => ({ seed, key: digest([index, seed.id]) })).sort((a, b) => (a.key < b.key ? -1 : 1))
  const ordered = keyed.map(({ seed }) => seed)
  const same = label === undefined ? [] : ordered.filter((seed) => seed.output === label).slice(0, Math.ceil(count / 2))
  const others = ordered.filter((seed) => !same.includes(seed)).slice(0, count - same.length)
  return [...same, ...others]
}

/** The JSON objects in an answer: a whole array, or one object a line, inside a code fence or not. */
function jsonItems(text: string): Record<string, unknown>[] {
  const body = text.replace(/^\s*```(?:json|jsonl)?\s*$/gm, "").trim()
  const whole = canonicalValue(parseJson(body))
  const values = Array.isArray(whole)
    ? whole
    : whole !== undefined
      ? [whole]
      : body.split("\n").map((line) => canonicalValue(parseJson(line.trim().replace(/,$/, ""))))
  return values.filter((value): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value))
}
