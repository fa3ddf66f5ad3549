import { NearDuplicateIndex } from "../../curation/holdout/near-duplicates.ts"
import { TextSample } from "../../curation/near/boilerplate.ts"
import { shingler } from "../../curation/near/shingles.ts"
import { groupTexts } from "../../curation/holdout/text-groups.ts"
import { inputText } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { plainSeeds } from "../../store/rows/seed-ranges.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"

// Of more gold rows the first say it.
const mostRows = 5000
// Fewer rows have nothing to hold out anyway.
const fewestRows = 3
const mostShown = 60

/**
 * Why no gold row is held out where most are near-duplicates of one another, a family that goes to one split whole: how
 * many they are and two of them. Undefined where they are not.
 */
export function oneFamily(task: TaskSpecification, rows: TaskRows): string | undefined {
  const items: { readonly id: string; readonly text: string }[] = []
  for (const { id, input } of plainSeeds(rows)) {
    items.push({ id, text: inputText(task, input) })
    if (items.length === mostRows) break
  }
  if (items.length < fewestRows) return undefined
  const numbers = task.build.nearDuplicates?.numbers ?? "keep"
  const sample = new TextSample()
  for (const { text } of items) sample.add(text)
  const texts = { count: items.length, text: (row: number) => items[row]?.text ?? "" }
  const groups = groupTexts(texts, sample, { threshold: task.build.threshold, numbers })
  const families = [...Map.groupBy(items.keys(), (row) => groups.of(row)).values()]
  const family = families.reduce((largest, members) => (members.length > largest.length ? members : largest))
  if (2 * family.length <= items.length) return undefined
  const share = family.length === items.length ? `all ${items.length}` : `${family.length} of ${items.length}`
  const rule = numbers === "drop" ? " (numbers count as one: build.nearDuplicates.numbers is drop)" : ""
  return (
    `no row is held out: ${share} gold rows are one family of near-duplicates, which stays in one split${rule}; ` +
    `${example(items, family, numbers)}. Import rows that differ in more than that`
  )
}

/** Two rows of the family that are near each other. */
function example(
  items: readonly { readonly id: string; readonly text: string }[],
  family: readonly number[],
  numbers: "keep" | "drop",
): string {
  const index = new NearDuplicateIndex(
    shingler(
      items.map(({ text }) => text),
      numbers,
    ),
  )
  for (const row of family) {
    const { id, text } = items[row] as { id: string; text: string }
    const near = index.findNear(text)
    if (near !== undefined) {
      const other = items.find((item) => item.id === near.id)?.text ?? ""
      return `${near.id} and ${id} are ${near.similarity.toFixed(2)} alike: ${quoted(other)} and ${quoted(text)}`
    }
    index.add(id, text)
  }
  return "they are linked by others"
}

function quoted(text: string): string {
  const line = text.replace(/\s+/g, " ")
  return JSON.stringify(line.length > mostShown ? `${line.slice(0, mostShown)}…` : line)
}
