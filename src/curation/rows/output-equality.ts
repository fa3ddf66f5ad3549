import { hash } from "node:crypto"
import { canonicalJson } from "../../core/canonical.ts"
import type { Output } from "../../core/rows/example.ts"
import { saidInTurn } from "../../core/task/chat.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { hashText } from "../text/hashing.ts"
import { foldForComparison } from "../text/normalise.ts"
import { jaccard, shinglerNamed } from "../near/shingles.ts"
import { Sketcher } from "../near/sketcher.ts"

/**
 * 64 bits of an output, as two numbers: equal for equal outputs by the task's kind (label, set of labels, canonical
 * JSON; for texts and what a turn says, folded).
 */
export type OutputPrint = readonly [low: number, high: number]

// From this Jaccard similarity of character 4-grams on, two texts say the same.
export const similarText = 0.7
const mostPrints = 10_000
const mostShingles = 50_000
const fourGrams = shinglerNamed("char-4")

/** What of an output is compared: a text, and beside it what must be equal; the text is undefined for a value. */
interface Said {
  readonly text: string | undefined
  readonly value: string
}

/** What the output says. Of a turn it is the text, beside the tools that it calls. */
function saidBy({ kind }: Pick<TaskSpecification, "kind">, output: Output): Said {
  if (kind === "text") return { text: String(output), value: "" }
  if (kind !== "chat") {
    const value = kind === "multilabel" ? [...(output as string[])].sort() : output
    return { text: undefined, value: canonicalJson(value) }
  }
  const { text, calls } = saidInTurn(output)
  return { text, value: calls.length === 0 ? "" : canonicalJson(calls) }
}

/**
 * Whether two outputs answer the same, so that dropping one of two duplicates loses nothing: equal by the task's kind;
 * texts, and the texts of turns that call the same tools, also when they are similar. Expects valid outputs.
 */
export class OutputEquality {
  /** Whether outputs agree that have different prints. */
  readonly bySimilarity: boolean
  /** Whether there may be as many different outputs as rows. */
  readonly areMany: boolean
  readonly #task: Pick<TaskSpecification, "kind">
  readonly #sketcher = new Sketcher({ shingles: "char-4" })
  readonly #prints = new Map<string, OutputPrint>()
  readonly #answers = new Map<number, ShingledAnswer>()

  constructor({ kind }: Pick<TaskSpecification, "kind">) {
    this.#task = { kind }
    this.bySimilarity = kind === "text" || kind === "chat"
    this.areMany = kind === "json"
  }

  print(output: Output): OutputPrint {
    const { text, value } = saidBy(this.#task, output)
    if (text === undefined) return this.#prints.get(value) ?? this.#printOf(value)
    if (value === "") return this.#sketcher.fingerprint(text)
    return this.#printOf(`${value}\n${foldForComparison(text)}`)
  }

  /** Whether two rows say similar texts; `outputOf` is asked for what is not known any more. */
  areSimilar(a: number, b: number, outputOf: (row: number) => Output): boolean {
    return areSimilar(this.#answerOf(a, outputOf), this.#answerOf(b, outputOf))
  }

  #printOf(key: string): OutputPrint {
    const bytes = hash("sha256", key, "buffer")
    const print = [bytes.readInt32LE(0), bytes.readInt32LE(4)] as const
    // Labels come again and again.
    if (this.#prints.size < mostPrints) this.#prints.set(key, print)
    return print
  }

  #answerOf(row: number, outputOf: (row: number) => Output): ShingledAnswer {
    let answer = this.#answers.get(row)
    if (answer === undefined) {
      const { text = "", value } = saidBy(this.#task, outputOf(row))
      answer = { value, shingles: fourGrams.of(text) }
      if (this.#answers.size >= mostShingles) this.#answers.clear()
      this.#answers.set(row, answer)
    }
    return answer
  }
}

interface ShingledAnswer {
  readonly value: string
  readonly shingles: Uint32Array
}

/** Two calls without a text are the same calls. */
function areSimilar(a: ShingledAnswer, b: ShingledAnswer): boolean {
  if (a.value !== b.value) return false
  if (a.shingles.length === 0 && b.shingles.length === 0) return a.value !== ""
  return jaccard(a.shingles, b.shingles) >= similarText
}

/** An output made ready to be compared with many. */
export interface Answer extends ShingledAnswer {
  /** Equal for equal outputs by the task's kind (label, set of labels, canonical JSON; for texts, folded). */
  readonly key: string
  /** A hash of the key where only equal outputs agree; undefined for texts, where similar is enough. */
  readonly group: number | undefined
}

/** The output, ready to be compared. Expects a valid output. */
export function answerOf(task: TaskSpecification, output: Output): Answer {
  const { text, value } = saidBy(task, output)
  if (text === undefined) return { key: value, group: hashText(value), value, shingles: new Uint32Array() }
  return { key: `${value}\n${foldForComparison(text)}`, group: undefined, value, shingles: fourGrams.of(text) }
}

/**
 * Whether two outputs answer the same, so that dropping one of two duplicates loses nothing: equal by the task's kind;
 * texts also when they are similar.
 */
export function agree(a: Answer, b: Answer): boolean {
  return a.key === b.key || (a.group === undefined && b.group === undefined && areSimilar(a, b))
}
