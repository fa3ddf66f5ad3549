import { canonicalJson } from "../../core/canonical.ts"
import type { Seed } from "../../core/rows/example.ts"
import type { Failure } from "../../core/rows/failure.ts"
import { likeness, wordsOf } from "../../core/likeness.ts"
import type { ScoredRow } from "../../core/contracts/metric.ts"
import { inputText, sameOutput } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"

/** So many train seeds are named for a kind of error. */
const nearSeeds = 12

/**
 * The kinds of error in the rows, the most frequent first, of equally frequent ones in the order of their words. A
 * description has labels, names of tools and paths that the specification declares, and nothing that a row says. Beside
 * it stand the train seeds that are most like the rows in question. Rows that are right are passed over.
 */
export function failureKinds(
  task: TaskSpecification,
  rows: readonly (ScoredRow & { readonly text: string })[],
  seeds: readonly Seed[],
): Failure[] {
  const wrong = rows.filter(
    ({ references, output }) =>
      output === undefined || !references.some((reference) => sameOutput(task, reference, output)),
  )
  const kinds = new Map<string, { kind: Kind; texts: string[] }>()
  for (const row of wrong)
    for (const kind of kindsOf(task, row)) {
      const entry = kinds.get(kind.description) ?? { kind, texts: [] }
      entry.texts.push(row.text)
      kinds.set(kind.description, entry)
    }
  const texts = seeds.map((seed) => ({ seed, words: wordsOf(inputText(task, seed.input)) }))
  return [...kinds.values()]
    .map(({ kind, texts: own }) => ({ ...kind, rows: own.length, near: nearest(own, texts, kind) }))
    .sort((a, b) => b.rows - a.rows || (a.description < b.description ? -1 : 1))
}

type Kind = Pick<Failure, "description" | "label" | "instead">

const unreadable: Kind = { description: "gives an answer that is no output of the task" }

function kindsOf(task: TaskSpecification, { references: [reference], output }: ScoredRow): Kind[] {
  if (output === undefined) return [unreadable]
  switch (task.kind) {
    case "label": {
      const [label, instead] = [String(reference), String(output)]
      return [
        { description: `gives ${JSON.stringify(instead)} where ${JSON.stringify(label)} is right`, label, instead },
      ]
    }
    case "multilabel": {
      const [right, given] = [reference as string[], output as string[]]
      return [
        ...right
          .filter((label) => !given.includes(label))
          .map((label) => ({ description: `leaves ${JSON.stringify(label)} out where it belongs`, label })),
        ...given
          .filter((label) => !right.includes(label))
          .map((label) => ({ description: `gives ${JSON.stringify(label)} where it does not belong`, instead: label })),
      ]
    }
    case "json":
      return pathsApart(reference, output, task.output.schema).map((path) => ({
        description: `gets ${path === "" ? "the output" : JSON.stringify(path)} wrong`,
      }))
    case "text": {
      const [right, given] = [String(reference).length, String(output).length]
      return [
        {
          description:
            given < right / 2
              ? "answers too briefly"
              : given > right * 2
                ? "answers at too great a length"
                : "gives a wrong answer",
        },
      ]
    }
    case "chat":
      return chatKinds(task, reference, output)
  }
}

function chatKinds(task: Extract<TaskSpecification, { kind: "chat" }>, reference: unknown, output: unknown): Kind[] {
  const [right, given] = [toolsIn(reference), toolsIn(output)]
  const named = (names: readonly string[]) => names.map((name) => JSON.stringify(name)).join(", ")
  if (right.length === 0)
    return [{ description: given.length === 0 ? "gives a wrong reply" : `calls ${named(given)} where it should reply` }]
  if (given.length === 0) return [{ description: `replies where it should call ${named(right)}` }]
  if (right.join() !== given.join())
    return [{ description: `calls ${named(given)} where it should call ${named(right)}` }]
  const schema = task.output.tools.find(({ name }) => name === right[0])?.parameters ?? {}
  return pathsApart(argumentsOf(reference), argumentsOf(output), schema).map((path) => ({
    description: `calls ${named(right)} with a wrong ${path === "" ? "argument" : JSON.stringify(path)}`,
  }))
}

interface Turn {
  readonly tool_calls?: readonly { readonly function?: { readonly name?: string; readonly arguments?: unknown } }[]
}

function toolsIn(turn: unknown): string[] {
  return ((turn as Turn).tool_calls ?? []).map((call) => call.function?.name ?? "")
}

function argumentsOf(turn: unknown): unknown {
  const given = (turn as Turn).tool_calls?.[0]?.function?.arguments
  try {
    return typeof given === "string" ? (JSON.parse(given) as unknown) : given
  } catch {
    return undefined
  }
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
}

/**
 * The paths at which two values differ, as the schema names them: keys that it does not declare are `*`, places in a
 * list are `[]`. Each once, sorted.
 */
function pathsApart(a: unknown, b: unknown, schema: Schema): string[] {
  const found = new Set<string>()
  const walk = (left: unknown, right: unknown, at: Schema, path: string): void => {
    if (canonicalJson(left ?? null) === canonicalJson(right ?? null)) return
    if (Array.isArray(left) && Array.isArray(right)) {
      if (left.length !== right.length) found.add(`${path}[]`)
      for (let index = 0; index < Math.min(left.length, right.length); index++)
        walk(left[index], right[index], at.items ?? {}, `${path}[]`)
      return
    }
    if (!isRecord(left) || !isRecord(right)) {
      found.add(path)
      return
    }
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const declared = Object.hasOwn(at.properties ?? {}, key) ? at.properties?.[key] : undefined
      walk(
        left[key],
        right[key],
        declared ?? {},
        `${path}${path === "" ? "" : "."}${declared === undefined ? "*" : key}`,
      )
    }
  }
  walk(a, b, schema, "")
  return [...found].sort()
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** The seeds that are most like any of the texts; where labels were confused, of these labels alone. */
function nearest(
  texts: readonly string[],
  seeds: readonly { seed: Seed; words: ReadonlySet<string> }[],
  { label, instead }: Kind,
): string[] {
  const wanted = [label, instead].filter((name) => name !== undefined)
  const has = ({ output }: Seed) =>
    wanted.some((name) => output === name || (Array.isArray(output) && output.includes(name)))
  const those = wanted.length === 0 ? seeds : seeds.filter(({ seed }) => has(seed))
  const asked = texts.map(wordsOf)
  return those
    .map(({ seed, words }) => ({
      id: seed.id,
      score: asked.reduce((best, other) => Math.max(best, likeness(words, other)), 0),
    }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(0, nearSeeds)
    .map(({ id }) => id)
}
