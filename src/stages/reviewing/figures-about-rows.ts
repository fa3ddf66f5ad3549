import { inOrder } from "../../core/rows/decisions.ts"
import type { Decision, RealInput } from "../../core/rows/example.ts"
import type { Held } from "../../core/rows/holdout-refresh.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { PlacedCandidate } from "../../store/rows/grown-rows.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import { askedAboutRows } from "../standing/asked-about-rows.ts"
import { fates, type ReviewStart } from "../standing/fates.ts"
import { goldChecks } from "../standing/gold-checks.ts"
import { answersMissing } from "../standing/review-plan.ts"
import type { Standing } from "../standing/standing.ts"
import { countsOf, gather, goldChecksFor, questionsAbout } from "../standing/task-examples.ts"
import type { ReviewFigures } from "./review-tally.ts"

/** A candidate or an input that may be an example, and how it stands. */
export type RowStanding = { readonly standing: Standing } & (
  | { readonly candidate: PlacedCandidate }
  | { readonly input: RealInput }
)

interface AskedAbout {
  readonly task: TaskSpecification
  readonly rows: TaskRows
  /** Those on rows, on pairs of rows, on what is disputed, and on gold checks. */
  readonly decisions: ReadonlyMap<string, readonly Decision[]>
  /** How many candidates there are. */
  readonly grown: number
  readonly heldOf: (id: string) => Held
  readonly isKnown: (id: string) => boolean
  /** Undefined for what is no candidate or input, or surely no example. */
  readonly rowOf: (id: string) => RowStanding | undefined
}

/**
 * What is asked about rows that are examples already, and gold checks: for these the rows are read that questions name,
 * and the seeds where reviewers are checked by them.
 */
export function aboutRows(about: AskedAbout): Pick<ReviewFigures, "counts" | "missing" | "gold" | "goldDecisions"> {
  const { task, rows, decisions, grown } = about
  const onGold = [...decisions].flatMap(([id, own]) => (id.startsWith("cand_") && !about.isKnown(id) ? own : []))
  const isChecked = onGold.length > 0 || (task.review.reviewers.length > 0 && task.review.goldChecks > 0)
  const { sources } = gather(sourceFates(about, isChecked))
  const aboutExamples = questionsAbout({ rows, sources, decisions })
  const asked = [...aboutExamples.values()].flat().map((item) => askedAboutRows(task, item, decisions))
  const checks = isChecked
    ? task.review.reviewers.map(
        (name) => goldChecksFor(name, task, { grown, decisions, sources, aboutExamples }).length,
      )
    : []
  return {
    counts: countsOf({ aboutExamples }),
    missing: [...asked.map(answersMissing), ...checks].reduce((sum, missing) => sum + missing, 0),
    gold: isChecked ? goldChecks(sources, decisions) : [],
    goldDecisions: inOrder(onGold) as Decision[],
  }
}

/** What came of the rows that questions name, and of all seeds where they are asked for. */
function sourceFates({ task, rows, decisions, heldOf, rowOf }: AskedAbout, withSeeds: boolean) {
  const named = new Set([
    ...rows.review.conflicts().flatMap(({ a, b }) => [a.row, b.row]),
    ...rows.review.suspects().map(({ row }) => row),
  ])
  const found = [...named].flatMap((id) => rowOf(id) ?? [])
  const candidates = found.flatMap((row) => ("candidate" in row ? [row.candidate] : []))
  const inputs = found.flatMap((row) => ("input" in row ? [row.input] : []))
  const standings = new Map(found.map((row) => ["candidate" in row ? row.candidate.id : row.input.id, row.standing]))
  const plan: ReviewStart["plan"] = {
    standing: (id) => standings.get(id) ?? { state: "pending" },
    asked: () => undefined,
    ...{ strata: [], estimate: { drawn: 0, decided: 0, wrong: 0 }, waiting: 0 },
  }
  const seeds = withSeeds ? rows.eachSeed() : rows.eachSeed((id) => named.has(id))
  return fates(
    rows,
    { task, candidates, inputs, decisions, plan },
    { heldOf, seeds: named.size > 0 || withSeeds ? seeds : [] },
  )
}
