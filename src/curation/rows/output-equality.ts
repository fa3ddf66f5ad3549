import { hash } from "node:crypto"
import { canonicalJson } from "../../core/canonical.ts"
import type { Output } from "../../core/rows/example.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { hashText } from "../text/hashing.ts"
import { foldForComparison } from "../text/normalise.ts"
import { jaccard, shinglerNamed } from "../near/shingles.ts"
import { Sketcher } from "../near/sketcher.ts"

/**
 * 64 bits of an output, as two numbers: equal for equal outputs by the task's kind (label, set of labels, canonical
 * JSON; for texts, folded).
 */
export type OutputPrint = readonly [low: number, high: number]

// From this Jaccard similarity of character 4-grams on, two texts say the same.
export const similarText = 0.7
const mostPrints = 10_000
const mostShingles = 50_000

/**
 * Whether two outputs answer the same, so that dropping one of two duplicates loses nothing: equal by the task's kind;
 * texts also when they are similar. Expects valid outputs.
 */
export class OutputEquality {
  /** Whether outputs agree that have different prints. */
  readonly bySimilarity: boolean
  /** Whether there may be as many different outputs as rows. */
  readonly areMany: boolean
  readonly #kind: TaskSpecification["kind"]
  readonly #sketcher = new Sketcher({ shingles: "char-4" })
  readonly #fourGrams = shinglerNamed("char-4")
  readonly #prints = new Map<string, OutputPrint>()
  readonly #shingles = new Map<number, Uint32Array>()

  constructor({ kind }: TaskSpecification) {
    this.#kind = kind
    this.bySimilarity = kind === "text"
    this.areMany = kind === "json" || kind === "chat"
  }

  print(output: Output): OutputPrint {
    if (this.#kind === "text") return this.#sketcher.fingerprint(String(output))
    const key = canonicalJson(this.#kind === "multilabel" ? [...(output as string[])].sort() : output)
    return this.#prints.get(key) ?? this.#printOf(key)
  }

  /** Whether the texts of two rows are similar; `textOf` is asked for what is not known any more. */
  areSimilar(a: number, b: number, textOf: (row: number) => string): boolean {
    return jaccard(this.#shinglesOf(a, textOf), this.#shinglesOf(b, textOf)) >= similarText
  }

  #printOf(key: string): OutputPrint {
    const bytes = hash("sha256", key, "buffer")
    const print = [bytes.readInt32LE(0), bytes.readInt32LE(4)] as const
    // Labels come again and again.
    if (this.#prints.size < mostPrints) this.#prints.set(key, print)
    return print
  }

  #shinglesOf(row: number, textOf: (row: number) => string): Uint32Array {
    let shingles = this.#shingles.get(row)
    if (shingles === undefined) {
      shingles = this.#fourGrams.of(textOf(row))
      if (this.#shingles.size >= mostShingles) this.#shingles.clear()
      this.#shingles.set(row, shingles)
    }
    return shingles
  }
}

/** An output made ready to be compared with many. */
export interface Answer {
  /** Equal for equal outputs by the task's kind (label, set of labels, canonical JSON; for texts, folded). */
  readonly key: string
  /** A hash of the key where only equal outputs agree; undefined for texts, where similar is enough. */
  readonly group: number | undefined
  readonly shingles: Uint32Array
}

const fourGrams = shinglerNamed("char-4")

/** The output, ready to be compared. Expects a valid output. */
export function answerOf(task: TaskSpecification, output: Output): Answer {
  if (task.kind === "text")
    return { key: foldForComparison(String(output)), group: undefined, shingles: fourGrams.of(String(output)) }
  const key = canonicalJson(task.kind === "multilabel" ? [...(output as string[])].sort() : output)
  return { key, group: hashText(key), shingles: new Uint32Array() }
}

/**
 * Whether two outputs answer the same, so that dropping one of two duplicates loses nothing: equal by the task's kind;
 * texts also when they are similar.
 */
export function agree(a: Answer, b: Answer): boolean {
  return (
    a.key === b.key ||
    (a.group === undefined && b.group === undefined && jaccard(a.shingles, b.shingles) >= similarText)
  )
}
