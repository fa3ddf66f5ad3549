import type { ReviewKind } from "../../core/contracts/review-kind.ts"
import { reviewKinds } from "../../stages/standing/kinds.ts"

type Counts = Readonly<Record<string, number>>

/** The questions about examples that are there already, as the end of a count; empty without any. */
export function alsoWaiting(counts: Counts): string {
  return reviewKinds
    .flatMap(({ counted }) => {
      const count = counted === undefined ? 0 : (counts[counted.field] ?? 0)
      return counted === undefined || count === 0 ? [] : [`, ${count} ${wordsFor(counted, count)}`]
    })
    .join("")
}

/** What is counted, one or several of it. */
export function wordsFor({ words, word }: NonNullable<ReviewKind["counted"]>, count: number): string {
  return count === 1 ? word : words
}

/** The result with a field for each of its counts in their place. */
export function withCounts(result: { readonly counts: Counts }, suffix = ""): Record<string, unknown> {
  const fieldsOf = ([field, value]: [string, unknown]): [string, unknown][] =>
    field === "counts"
      ? Object.entries(result.counts).map(([name, count]) => [`${name}${suffix}`, count])
      : [[field, value]]
  return Object.fromEntries(Object.entries(result).flatMap(fieldsOf))
}
