import { z } from "zod"
import { digest } from "../core/canonical.ts"
import type { PathIssue } from "../core/parse.ts"
import { nearest, show } from "../core/parse.ts"
import type { Draft, OfflineStrategy } from "../core/contracts/strategy.ts"
import { labelsOf, type TaskSpecification } from "../core/task/task.ts"

const phrasing = z.string().min(1)

const options = z.strictObject({
  count: z.int().positive().max(10_000_000).default(100).describe("How many candidates to grow, over all labels"),
  slots: z
    .record(z.string(), z.array(z.string()).min(1))
    .default({})
    .describe("Values by slot name; {name} in a phrasing is replaced by one of them"),
  phrasings: z
    .union([
      z.record(z.string(), z.array(phrasing).min(1)),
      z
        .array(
          z.strictObject({
            input: z.record(z.string(), phrasing).describe("A phrasing for each field"),
            output: z.unknown().describe("The output; slots in its texts get the same values"),
          }),
        )
        .min(1),
    ])
    .describe(
      "For label tasks with one text field: phrasings by label. Otherwise pairs of input and output in " +
        "which the same slots are replaced. [a|b|] takes one of the alternatives",
    ),
})
type Options = z.output<typeof options>

/**
 * Recombines phrasings and slot values that the specification declares, in the manner of Chatito or Rasa templates;
 * asks no model and needs no network. Equal material gives equal drafts: labels and phrasings take turns, the slot
 * values of each draft follow from a digest.
 */
const strategy: OfflineStrategy<Options> = {
  summary: "Recombination of phrasings and slots from the specification; needs no model",
  asksModel: false,
  uses: [],
  options,
  check,
  grow(material, given) {
    const groups = groupsOf(material.task, given)
    const drafts: Draft[] = []
    const seen = new Set<string>()
    const last = groups.map(() => 0)
    // Rounds end when the count is reached or when no group has anything new to say.
    for (let exhausted = 0; drafts.length < material.count && exhausted < groups.length; ) {
      exhausted = 0
      for (const [index, group] of groups.entries()) {
        if (drafts.length >= material.count) break
        const draft = nextDraft(group, given, last, index, seen)
        if (draft) drafts.push(draft)
        else exhausted++
      }
    }
    return drafts
  },
}
export default strategy

interface Template {
  readonly input: Readonly<Record<string, string>>
  readonly output: unknown
}

/** The templates that take turns: one group a label, or all pairs as one. */
function groupsOf(task: TaskSpecification, given: Options): readonly (readonly Template[])[] {
  if (Array.isArray(given.phrasings)) return [given.phrasings]
  const field = task.kind === "chat" ? "messages" : (Object.keys(task.input)[0] ?? "")
  return Object.entries(given.phrasings).map(([label, texts]) =>
    texts.map((text) => ({ input: { [field]: text }, output: label })),
  )
}

const attempts = 200

/**
 * The next draft of a group that is not yet grown: phrasings take turns, slot values follow from the digest of the
 * turn.
 */
function nextDraft(
  group: readonly Template[],
  given: Options,
  last: number[],
  index: number,
  seen: Set<string>,
): Draft | undefined {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const turn = last[index] ?? 0
    last[index] = turn + 1
    const template = group[turn % group.length]
    if (!template) return undefined
    const draft = fillTemplate(template, given.slots, turn, !Array.isArray(given.phrasings))
    const key = JSON.stringify(draft.input)
    if (seen.has(key)) continue
    seen.add(key)
    return draft
  }
  return undefined
}

function fillTemplate(template: Template, slots: Options["slots"], turn: number, isLabelled: boolean): Draft {
  const chosen = new Map<string, string>()
  const pick = (name: string, values: readonly string[]): string => {
    const known = chosen.get(name)
    if (known !== undefined) return known
    const number = Number.parseInt(digest([template, name, turn]).slice(7, 15), 16)
    const value = values[number % values.length] ?? ""
    chosen.set(name, value)
    return value
  }
  const fillText = (text: string): string => {
    let alternative = 0
    return text
      .replace(/\[([^\][]*\|[^\][]*)\]/g, (_, inner: string) => pick(`[${alternative++}:${inner}]`, inner.split("|")))
      .replace(/\{([A-Za-z][\w-]*)\}/g, (whole, name: string) => (slots[name] ? pick(name, slots[name]) : whole))
      .replace(/ {2,}/g, " ")
      .trim()
  }
  const fillValue = (value: unknown): unknown => {
    if (typeof value === "string") return fillText(value)
    if (Array.isArray(value)) return value.map(fillValue)
    if (typeof value === "object" && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillValue(item)]))
    return value
  }
  const output = fillValue(template.output)
  return {
    input: fillValue(template.input) as Draft["input"],
    output,
    parents: [],
    ...(isLabelled ? { cell: { label: String(output) } } : {}),
  }
}

function check(task: TaskSpecification, given: Options): PathIssue[] {
  if (Array.isArray(given.phrasings))
    return given.phrasings.flatMap((template, index) =>
      slotIssues(JSON.stringify(template), given, ["phrasings", index]),
    )
  if (task.kind !== "label" || Object.keys(task.input).length !== 1)
    return [
      {
        path: ["phrasings"],
        message: "phrasings by label need a label task with one input field; give a list of {input, output} instead",
      },
    ]
  return Object.entries(given.phrasings).flatMap(([label, texts]) => {
    const path = ["phrasings", label]
    const labels = labelsOf(task)
    if (!labels.includes(label)) {
      const meant = nearest(label, labels)
      return [
        {
          path,
          message: `got ${show(label)}; allowed: ${labels.join(", ")}${meant ? `; did you mean ${show(meant)}?` : ""}`,
        },
      ]
    }
    return texts.flatMap((text, index) => slotIssues(text, given, [...path, index]))
  })
}

function slotIssues(text: string, given: Options, path: readonly PropertyKey[]): PathIssue[] {
  const names = [...text.matchAll(/\{([A-Za-z][\w-]*)\}/g)].map((match) => match[1] ?? "")
  return names
    .filter((name) => !Object.hasOwn(given.slots, name))
    .map((name) => ({
      path,
      message: `{${name}} is not a slot; the slots are: ${Object.keys(given.slots).join(", ") || "none"}`,
    }))
}
