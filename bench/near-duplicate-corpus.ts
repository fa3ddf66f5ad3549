// Chat files with planted copies, the same for the same seed: what bench/near-duplicates.ts runs on.
import { closeSync, openSync, writeSync } from "node:fs"
import { seeded } from "../test/seeded.ts"

/** What kind of texts: about 150 words, about 60 (400 bytes), or about 12. */
export type CorpusKind = "long" | "middle" | "short"

/**
 * Writes so many rows of chat JSONL. 35 of 100 are copies of earlier rows: 5 byte for byte, 5 with other case and
 * punctuation, 25 with one to eight edits (up to four in middle, two in short texts); three of ten copies are of one of
 * 50 rows, so that there are hot clusters. Copies have the answer of their original.
 */
export function writeCorpus(path: string, kind: CorpusKind, rows: number, seed = 1): void {
  writeLines(path, chatRows(kind, rows, seed))
}

export interface ChatRow {
  readonly messages: readonly [system: Turn, user: Turn, assistant: Turn]
}

interface Turn {
  readonly role: string
  readonly content: string
}

/** The rows of that corpus, one after another. */
export function* chatRows(kind: CorpusKind, rows: number, seed = 1): Generator<ChatRow> {
  const language = makeLanguage(seed)
  for (let row = 0; row < rows; row += 1) yield chatRow(language, kind, row, seed)
}

/** Writes each as a line of JSONL, a piece at a time. */
export function writeLines(path: string, rows: Iterable<unknown>): void {
  const file = openSync(path, "w")
  let waiting = ""
  for (const row of rows) {
    waiting += `${JSON.stringify(row)}\n`
    if (waiting.length > 1 << 20) {
      writeSync(file, waiting)
      waiting = ""
    }
  }
  writeSync(file, waiting)
  closeSync(file)
}

type Random = () => number

interface Language {
  readonly words: readonly string[]
  readonly sentences: readonly string[]
}

const hotRows = 50
const systems = [
  "You are a helpful assistant.",
  "You answer questions of customers.",
  "Answer in one short paragraph.",
  "You are a careful analyst.",
]

function chatRow(language: Language, kind: CorpusKind, row: number, seed: number): ChatRow {
  const random = randomOf(seed, row)
  const source = sourceOf(random, row)
  const text =
    source === row ? freshText(language, kind, randomOf(seed + 1, row)) : copyOf(language, kind, source, seed, random)
  const system = pick(systems, random)
  return {
    messages: [
      { role: "system", content: system },
      { role: "user", content: text },
      // The answer follows from the text that was copied first.
      { role: "assistant", content: `It is a matter of kind ${firstSource(source, seed) % 1009}.` },
    ],
  }
}

/** The row this one is a copy of; itself for a fresh one. Depends on nothing but the random numbers of the row. */
function sourceOf(random: Random, row: number): number {
  if (row < 2 * hotRows || random() >= 0.35) return row
  return random() < 0.3 ? Math.floor(random() * hotRows) : Math.floor(random() * row)
}

function firstSource(row: number, seed: number): number {
  const source = sourceOf(randomOf(seed, row), row)
  return source === row ? row : firstSource(source, seed)
}

function copyOf(language: Language, kind: CorpusKind, source: number, seed: number, random: Random): string {
  const text = freshText(language, kind, randomOf(seed + 1, firstSource(source, seed)))
  const how = random()
  if (how < 1 / 7) return text
  if (how < 2 / 7) return random() < 0.5 ? text.toUpperCase() : text.replaceAll(".", " !").replaceAll(" and ", " AND ")
  const words = text.split(" ")
  for (
    let edits = 1 + Math.floor(random() * (kind === "long" ? 8 : kind === "middle" ? 4 : 2));
    edits > 0;
    edits -= 1
  ) {
    const place = Math.floor(random() * words.length)
    const edit = random()
    if (edit < 0.5) words[place] = wordOf(language, random)
    else if (edit < 0.75) words.splice(place, 0, wordOf(language, random))
    else words.splice(place, 1)
  }
  return words.join(" ")
}

function freshText(language: Language, kind: CorpusKind, random: Random): string {
  if (kind === "short") return sentence(language.words, random, 6 + Math.floor(random() * 12))
  const length = kind === "long" ? 4 + Math.floor(random() * 13) : 3 + Math.floor(random() * 6)
  const sentences = Array.from({ length }, () => pick(language.sentences, random))
  return sentences.join(random() < 0.3 ? "\n" : " ")
}

function makeLanguage(seed: number): Language {
  const random = randomOf(seed + 2, 0)
  const letters = "eeeettaaooiinnsshhrrddlluucmfwygpbvk"
  const words = Array.from({ length: 20_000 }, (_, rank) =>
    Array.from(
      { length: 2 + Math.floor(random() * (rank < 200 ? 3 : 10)) },
      () => letters[Math.floor(random() * letters.length)],
    ).join(""),
  )
  return {
    words,
    sentences: Array.from({ length: 300_000 }, () => sentence(words, random, 6 + Math.floor(random() * 16))),
  }
}

function sentence(words: readonly string[], random: Random, length: number): string {
  const parts = Array.from({ length }, () => wordOf({ words }, random))
  const first = parts[0] ?? ""
  return `${first[0]?.toUpperCase()}${first.slice(1)}${parts
    .slice(1)
    .map((word) => (random() < 0.06 ? `, ${word}` : ` ${word}`))
    .join("")}.`
}

/** Frequent words are frequent: the rank is spread evenly over its logarithm. */
function wordOf({ words }: Pick<Language, "words">, random: Random): string {
  return words[Math.floor(words.length ** random()) - 1] as string
}

function pick(items: readonly string[], random: Random): string {
  return items[Math.floor(random() * items.length)] as string
}

/** Numbers in 0..1 (mulberry32), a stream of its own for each row. */
function randomOf(seed: number, row: number): Random {
  return seeded(Math.imul(seed, 0x9e3779b1) ^ Math.imul(row + 1, 0x85ebca6b))
}
