import type { HeldOutRow } from "../../../src/curation/leaks/contamination.ts"
import { Curation, type Conflict } from "../../../src/curation/version/curation.ts"
import { OwnCuration } from "../../../src/curation/version/own-curation.ts"
import type { CurationRow } from "../../../src/curation/rows/ranking.ts"
import { rowLines } from "../../../src/curation/rows/row-lines.ts"
import { RowTable } from "../../../src/curation/rows/row-table.ts"
import type { DroppedExample, Example } from "../../../src/core/rows/example.ts"
import type { NumberRule } from "../../../src/core/task/number-rule.ts"
import type { Spill } from "../../../src/core/spill.ts"
import { taskSchema, type TaskSpecification } from "../../../src/core/task/task.ts"
import { seeded } from "../../seeded.ts"

const vocabulary = [
  "card payment transfer refund account balance top up fee exchange rate pending declined lost stolen pin " +
    "verify identity address",
  "change cancel order delivery parcel late broken screen battery charger return warranty invoice receipt " +
    "currency euro dollar pound",
  "limit daily weekly monthly salary mortgage loan interest statement branch cash withdraw machine " +
    "swallowed blocked unlock reset",
  "password login phone number email contact support agent",
].flatMap((line) => line.split(" "))
const fillers =
  "why is my the a not still how can i when will please tell me what do you for in to on with yesterday today again".split(
    " ",
  )

/** Short texts: fresh ones, and copies of earlier ones with one to three edits. */
export function textsWithCopies(count: number, seed: number): string[] {
  const random = seeded(seed)
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item
  const fresh = () =>
    Array.from({ length: 5 + Math.floor(random() * 12) }, () => pick(random() < 0.5 ? vocabulary : fillers)).join(" ")
  const texts: string[] = []
  while (texts.length < count) {
    if (texts.length === 0 || random() < 0.6) texts.push(fresh())
    else {
      const words = pick(texts).split(" ")
      for (let edits = 1 + Math.floor(random() * 3); edits > 0; edits -= 1) {
        const place = Math.floor(random() * words.length)
        const kind = random()
        if (kind < 0.3) words[place] = pick(vocabulary)
        else if (kind < 0.5) words.splice(place, 0, pick(fillers))
        else if (kind < 0.7) words.splice(place, 1)
        else if (kind < 0.85) words[place] = (words[place] ?? "").slice(1) || "x"
        else words[place] = (words[place] ?? "").toUpperCase()
      }
      texts.push(words.join(" ") || "x")
    }
  }
  return texts
}

export const labelTask = taskSchema.parse({
  task: "triage",
  kind: "label",
  description: "Which team gets the ticket",
  input: { body: { required: true } },
  output: { labels: { billing: "money", shipping: "parcels", other: "the rest" } },
}) as Extract<TaskSpecification, { kind: "label" }>

export const textTask = taskSchema.parse({
  task: "reply",
  kind: "text",
  description: "Answer the customer",
  input: { body: {} },
})

/** An accepted example with that body. */
export function rowOf(
  id: string,
  body: string,
  output: unknown = "billing",
  more: Partial<CurationRow> = {},
): CurationRow {
  return {
    id,
    input: { body },
    output,
    provenance: { parents: [], strategy: "gold", acceptedBy: "gold" },
    rank: { human: true, reviewed: true },
    ...more,
  }
}

/**
 * The Jaccard similarity of the texts' sets of four characters with their numbers, by sets of strings: independent of
 * the code under test.
 */
export function similarityOf(a: string, b: string): number {
  const [first, second] = [fourGrams(a), fourGrams(b)]
  const shared = [...first].filter((gram) => second.has(gram)).length
  return shared / (first.size + second.size - shared)
}

export function fourGrams(text: string): Set<string> {
  const folded = text
    .toLowerCase()
    .replace(/[\p{P}\p{S}]/gu, " $& ")
    .replace(/\s+/g, " ")
    .trim()
  const numbers = folded.split(" ").filter((word) => /\d/.test(word))
  const characters = [...folded]
  const size = Math.min(4, characters.length)
  return new Set(
    Array.from({ length: characters.length - size + 1 }, (_, start) =>
      [characters.slice(start, start + size).join(""), ...numbers].join("|"),
    ),
  )
}

/** A spill in memory. */
export class MemorySpill implements Spill {
  #bytes = Buffer.alloc(0)

  lastBytes = 0

  add(_part: number, text: string): number {
    this.#bytes = Buffer.concat([this.#bytes, Buffer.from(text)])
    this.lastBytes = Buffer.byteLength(text)
    return this.#bytes.length - this.lastBytes
  }
  partBytes(): number {
    return this.#bytes.length
  }
  read(place: number, target: Uint8Array): void {
    target.set(this.#bytes.subarray(place, place + target.length))
  }
  readPart(): (place: number, length: number) => Uint8Array {
    return (place, length) => this.#bytes.subarray(place, place + length)
  }
}

/** What comes of the candidates, as rows. */
export function curate({
  candidates,
  heldOut = [],
  ...options
}: {
  readonly task: TaskSpecification
  readonly candidates: readonly CurationRow[]
  readonly heldOut?: readonly HeldOutRow[]
  readonly heldOutIds?: ReadonlySet<string>
  readonly numbers?: NumberRule
  readonly ngram: number
  readonly maxLength: number
}): { kept: Example[]; dropped: DroppedExample[]; conflicts: Conflict[] } {
  const table = new RowTable(new MemorySpill())
  const curation = new Curation(table, { ...options, heldOut, expected: candidates.length })
  for (const candidate of candidates) curation.intake.offer(candidate)
  const own = new OwnCuration(options.task, table)
  const closed = curation.close()
  const overlapping = closed.overlapping()
  const { toJudge } = overlapping
  const judged = overlapping.judged(toJudge === undefined ? [] : own.judge(toJudge.rows, toJudge.plan))
  if (judged.resketch !== undefined) own.resketch(judged.left(), judged.resketch)
  const groups = judged.groups(own.join(closed.rows, judged.comparison.plan.bands.count))
  const conflicts = judged.finish(own.compare(groups, judged.comparison))
  const rows = <Row>(pieces: Iterable<Uint8Array>) =>
    Array.from(pieces, (piece) => Buffer.from(piece).toString())
      .join("")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Row)
  const dropped = table.dropped()
  return {
    kept: rows<Example>(rowLines(table.records, table.spill, table.kept())),
    dropped: rows<DroppedExample>(rowLines(table.records, table.spill, dropped, table.whys(dropped))),
    conflicts,
  }
}
