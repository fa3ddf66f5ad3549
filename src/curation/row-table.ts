import { hash } from "node:crypto"
import { canonicalJson, plainJson } from "../core/canonical.ts"
import type { DropReason, DroppedExample, Example, Output } from "../core/example.ts"
import type { Spill } from "../core/spill.ts"
import { compareText, type Rank } from "./ranking.ts"

/** Why a row is not kept. */
export type Why = Pick<DroppedExample, "reason" | "witness" | "similarity" | "detail">

/** What is known of a row beside its text: enough to put it in its order and to find it again. */
export interface RowFacts {
  readonly rank: Rank
  /** Of the input's text, in UTF-16 code units. */
  readonly textLength: number
  /** Numbers that are needed again when the rows are compared. */
  readonly numbers: Int32Array
}

/** The rows of a build and what came of each: kept, or dropped for a reason. Their texts and numbers lie in the spill; memory has about 150 bytes a row.
 * A row is known by its number, in the order of the additions. */
export class RowTable {
  readonly #spill: Spill
  readonly #ids: string[] = []
  readonly #chunks: Int32Array[] = []
  readonly #dropped = new Map<number, Why>()
  readonly #provenances = new Map<string, string>()
  #buffer = Buffer.alloc(1 << 12)
  #numbers = new Int32Array(1 << 10)

  constructor(spill: Spill) {
    this.#spill = spill
  }

  get size(): number {
    return this.#ids.length
  }

  id(row: number): string {
    return this.#ids[row] as string
  }

  /** Adds a row that is kept until it is dropped. */
  add({ id, input, output, provenance }: Example, { rank, textLength, numbers }: RowFacts): number {
    const [plainInput, plainOutput] = [plainJson(input), plainJson(output)]
    const [canonicalInput, canonicalOutput] = [plainInput ?? canonicalJson(input), plainOutput ?? canonicalJson(output)]
    const [inputJson, outputJson] = [plainInput ?? JSON.stringify(input), plainOutput ?? JSON.stringify(output)]
    const provenanceJson = JSON.stringify(provenance)
    const name = JSON.stringify(id)
    const row = this.#place(id, `{"id":${name},"input":${inputJson},"output":${outputJson}${lastKey}${provenanceJson}}`, numbers)
    const facts = this.#chunks[row >>> chunkBits] as Int32Array
    const at = (row & chunkMask) * stride
    const isCanonical = canonicalInput === inputJson && canonicalOutput === outputJson
    facts[at + flags] = Number(rank.human) * isHuman + Number(rank.reviewed) * isReviewed + Number(isCanonical) * isPlainLine
    facts[at + length] = textLength
    const content = `"input":${canonicalInput},"output":${canonicalOutput}`
    writeDigest(facts, at + contentAt, `{${content}}`, contentNumbers)
    writeDigest(
      facts,
      at + revisionAt,
      `{"id":${canonicalJson(id)},${content}${lastKey}${this.#canonicalProvenance(provenanceJson)}}`,
      revisionNumbers,
    )
    return row
  }

  /** Adds a row that is dropped for a reason which it has by itself. */
  addDropped({ id, input, output, provenance }: Example, why: Why): number {
    const row = this.#place(id, JSON.stringify({ id, input, output, provenance }), none)
    this.drop(row, why)
    return row
  }

  drop(row: number, why: Why): void {
    this.#dropped.set(row, why)
  }

  isKept(row: number): boolean {
    return !this.#dropped.has(row)
  }

  /** The numbers that were added with the row; overwritten by the next question. */
  numbers(row: number): Int32Array {
    const facts = this.#chunks[row >>> chunkBits] as Int32Array
    const at = (row & chunkMask) * stride
    const count = facts[at + numberCount] as number
    if (count > this.#numbers.length) this.#numbers = new Int32Array(2 * count)
    this.#spill.read(this.#placeOf(facts, at) + (facts[at + lineBytes] as number), new Uint8Array(this.#numbers.buffer, 0, 4 * count))
    return this.#numbers.subarray(0, count)
  }

  example(row: number): Example {
    return JSON.parse(this.#text(row)) as Example
  }

  /** The rows from the one most worth keeping to the least: by people before grown, reviewed before not, longer input text before
   * shorter, then by digest of the content, then by id. A total order on content, so that any permutation of the rows gives the same. */
  byWorth(rows: Uint32Array): Uint32Array {
    return rows.sort((a, b) => {
      const [first, second] = [this.#chunks[a >>> chunkBits] as Int32Array, this.#chunks[b >>> chunkBits] as Int32Array]
      const [i, j] = [(a & chunkMask) * stride, (b & chunkMask) * stride]
      const better = ((second[j + flags] as number) & worth) - ((first[i + flags] as number) & worth)
      if (better !== 0) return better
      const longer = (second[j + length] as number) - (first[i + length] as number)
      if (longer !== 0) return longer
      for (let index = 0; index < contentNumbers; index += 1) {
        const [left, right] = [first[i + contentAt + index] as number, second[j + contentAt + index] as number]
        if (left !== right) return left >>> 0 < right >>> 0 ? -1 : 1
      }
      return compareText(this.id(a), this.id(b))
    })
  }

  /** The rows that are kept, by id. */
  kept(): Uint32Array {
    return this.#where((row) => this.isKept(row)).sort((a, b) => compareText(this.id(a), this.id(b)))
  }

  /** The rows that are dropped, by reason and id. */
  dropped(): Uint32Array {
    const reason = (row: number) => (this.#dropped.get(row) as Why).reason
    return this.#where((row) => !this.isKept(row)).sort((a, b) => compareText(reason(a), reason(b)) || compareText(this.id(a), this.id(b)))
  }

  /** The outputs of the kept rows, by id. */
  *keptOutputs(): Generator<Output> {
    for (const row of this.kept()) yield this.example(row).output
  }

  /** How many rows were dropped for each reason. */
  reasons(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const { reason } of this.#dropped.values()) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    return counts
  }

  /** The rows that were dropped for the reason, each with its witness, by id. */
  droppedPairs(reason: DropReason): { a: string; b: string; similarity: number }[] {
    const pairs = [...this.#dropped].flatMap(([row, why]) =>
      why.reason === reason && why.witness !== undefined ? [{ a: why.witness, b: this.id(row), similarity: why.similarity ?? 1 }] : [],
    )
    return pairs.sort((first, second) => compareText(first.b, second.b))
  }

  /** The lines of the kept rows, by id, with their ends. */
  *keptLines(): Generator<Buffer> {
    for (const row of this.kept()) yield this.#read(row, lineEnd)
  }

  /** The lines of the dropped rows, by reason and id, each with why. */
  *droppedLines(): Generator<string> {
    for (const row of this.dropped()) {
      const why = JSON.stringify(orderedWhy(this.#dropped.get(row) as Why))
      yield `${this.#text(row).slice(0, -1)},${why.slice(1)}\n`
    }
  }

  /** The SHA-256 of the canonical JSON of each row as it is kept or dropped, sorted. */
  *revisions(rows: Uint32Array): Generator<string> {
    const digests = Buffer.alloc(digestBytes * rows.length)
    for (const [index, row] of rows.entries()) this.#copyRevision(row, digests, digestBytes * index)
    const words = new DataView(digests.buffer, digests.byteOffset, digests.length)
    const order = rows
      .map((_, index) => index)
      .sort((a, b) => {
        for (let at = 0; at < digestBytes; at += 4) {
          const [left, right] = [words.getUint32(digestBytes * a + at), words.getUint32(digestBytes * b + at)]
          if (left !== right) return left < right ? -1 : 1
        }
        return 0
      })
    for (const index of order) yield `sha256:${digests.toString("hex", digestBytes * index, digestBytes * (index + 1))}`
  }

  #copyRevision(row: number, target: Buffer, at: number): void {
    const why = this.#dropped.get(row)
    if (why !== undefined) hash("sha256", this.#canonicalDropped(row, why), "buffer").copy(target, at)
    else {
      const facts = this.#chunks[row >>> chunkBits] as Int32Array
      const from = (row & chunkMask) * stride + revisionAt
      for (let index = 0; index < revisionNumbers; index += 1) target.writeInt32BE(facts[from + index] as number, at + 4 * index)
    }
  }

  #canonicalDropped(row: number, why: Why): string {
    const facts = this.#chunks[row >>> chunkBits] as Int32Array
    const isPlain = ((facts[(row & chunkMask) * stride + flags] as number) & isPlainLine) !== 0
    if (!isPlain || why.detail !== undefined) return canonicalJson({ ...this.example(row), ...why })
    // In the order of RFC 8785 what is added comes last.
    const { reason, similarity, witness } = why
    const added = canonicalJson({ reason, ...(similarity === undefined ? {} : { similarity }), ...(witness === undefined ? {} : { witness }) })
    const line = this.#text(row)
    const end = line.lastIndexOf(lastKey) + lastKey.length
    return `${line.slice(0, end)}${this.#canonicalProvenance(line.slice(end, -1))},${added.slice(1)}`
  }

  /** Few rows differ in where they come from. */
  #canonicalProvenance(json: string): string {
    let canonical = this.#provenances.get(json)
    if (canonical === undefined) {
      if (this.#provenances.size >= mostProvenances) this.#provenances.clear()
      canonical = canonicalJson(JSON.parse(json))
      this.#provenances.set(flat(json), canonical)
    }
    return canonical
  }

  #place(id: string, line: string, numbers: Int32Array): number {
    const row = this.#ids.length
    if ((row & chunkMask) === 0) this.#chunks.push(new Int32Array(stride << chunkBits))
    const facts = this.#chunks.at(-1) as Int32Array
    const at = (row & chunkMask) * stride
    const { size } = this.#spill
    facts[at + placeLow] = size % 2 ** 31
    facts[at + placeHigh] = Math.floor(size / 2 ** 31)
    this.#spill.add(line)
    facts[at + lineBytes] = this.#spill.size - size
    facts[at + numberCount] = numbers.length
    if (numbers.length > 0) this.#spill.add(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength))
    this.#ids.push(flat(id))
    return row
  }

  #text(row: number): string {
    return this.#read(row).toString("utf8")
  }

  /** The row's JSON; overwritten by the next one. */
  #read(row: number, end = ""): Buffer {
    const facts = this.#chunks[row >>> chunkBits] as Int32Array
    const at = (row & chunkMask) * stride
    const bytes = facts[at + lineBytes] as number
    if (bytes + end.length > this.#buffer.length) this.#buffer = Buffer.alloc(2 * (bytes + end.length))
    this.#spill.read(this.#placeOf(facts, at), this.#buffer.subarray(0, bytes))
    return this.#buffer.subarray(0, bytes + this.#buffer.write(end, bytes))
  }

  #placeOf(facts: Int32Array, at: number): number {
    return (facts[at + placeHigh] as number) * 2 ** 31 + (facts[at + placeLow] as number)
  }

  #where(isWanted: (row: number) => boolean): Uint32Array {
    const rows = new Uint32Array(this.size)
    let count = 0
    for (let row = 0; row < this.size; row += 1) if (isWanted(row)) rows[count++] = row
    return rows.subarray(0, count)
  }
}

const none = new Int32Array()
const lastKey = ',"provenance":'
const lineEnd = "\n"
const mostProvenances = 1000
const digestBytes = 32

// What a row has in a chunk, in numbers.
const [placeLow, placeHigh, lineBytes, numberCount, flags, length, contentAt, revisionAt, stride] = [0, 1, 2, 3, 4, 5, 6, 10, 18] as const
// 128 bits put rows in their order; the revision is whole.
const [contentNumbers, revisionNumbers] = [4, 8] as const
const [isReviewed, isHuman, isPlainLine] = [1, 2, 4] as const
const worth = isHuman | isReviewed
const chunkBits = 14
const chunkMask = (1 << chunkBits) - 1

function writeDigest(facts: Int32Array, at: number, text: string, count: number): void {
  const bytes = hash("sha256", text, "buffer")
  for (let index = 0; index < count; index += 1) facts[at + index] = bytes.readInt32BE(4 * index)
}

/** In the order in which they have always been written. */
function orderedWhy({ reason, witness, similarity, detail }: Why): Why {
  return {
    reason,
    ...(witness === undefined ? {} : { witness }),
    ...(similarity === undefined ? {} : { similarity }),
    ...(detail === undefined ? {} : { detail }),
  }
}

/** The same text in memory of its own: a piece of a longer text would keep all of it. */
function flat(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8")
}
