import { stableShare } from "../../core/stable-share.ts"
import { canonicalJson, contentId } from "../../core/canonical.ts"
import type { Decision } from "../../core/rows/example.ts"
import type { ReviewItem, SourceRow } from "../../core/rows/review-item.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { rowChecks } from "../../curation/review/row-checks.ts"
import { candidateItem } from "./kinds/candidate.ts"

/**
 * Gold train examples as questions that look like candidates, in the order in which they are drawn: half of them with
 * the right output, the others with that of another example. What a reviewer says of them changes no data; it shows how
 * often they err. Held-out examples are never among them. The id follows from the example alone.
 */
export function goldChecks(
  sources: ReadonlyMap<string, SourceRow>,
  decisions: ReadonlyMap<string, readonly Decision[]>,
): ReviewItem[] {
  const checkOf = rowChecks(decisions)
  const gold = [...sources.values()]
    .filter(({ split, example }) => split === "train" && example.provenance.strategy === "gold")
    .map(({ row, example }) => {
      const check = checkOf(row, example.input, example.output)
      return {
        row,
        input: example.input,
        output: check.state === "corrected" ? check.output : example.output,
        draw: stableShare("gold check", row),
      }
    })
    .sort((a, b) => a.draw - b.draw)
  return gold.map(({ row, input, output }, index) => {
    const isWrong = stableShare("wrong gold check", row) < 0.5
    const other = isWrong ? nextOther(gold, index) : undefined
    const id = contentId("cand", { goldCheck: row })
    return {
      ...candidateItem({ id, input, output: other === undefined ? output : other.output }),
      gold: { row, output },
    }
  })
}

/**
 * Whether the reviewer erred: took a wrong output, turned a right one down, or gave another one where equal means
 * right. Another wording of a text is no error.
 */
export function errsOnGold(task: TaskSpecification, item: ReviewItem, { verdict, output }: Decision): boolean {
  const known = canonicalJson(item.gold?.output ?? null)
  const isRight = canonicalJson(item.output ?? null) === known
  if (verdict === "accept") return !isRight
  if (verdict === "reject") return isRight
  return task.kind !== "text" && task.kind !== "chat" && canonicalJson(output ?? null) !== known
}

/** The next example in the order of the draw that has another output. */
function nextOther<Row extends { readonly output: unknown }>(gold: readonly Row[], from: number): Row | undefined {
  const own = canonicalJson(gold[from]?.output ?? null)
  for (let step = 1; step < gold.length; step += 1) {
    const row = gold[(from + step) % gold.length] as Row
    if (canonicalJson(row.output) !== own) return row
  }
  return undefined
}
