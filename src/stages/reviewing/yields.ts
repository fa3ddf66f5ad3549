import type { CellYield } from "../../core/rows/example.ts"
import { cellName } from "../../core/contracts/strategy.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import { cellKey, type ReviewTally } from "./review-tally.ts"

/** The funnel of a strategy, with what people or the policy accepted. */
export interface StrategyYield extends Funnel {
  readonly strategy: string
  readonly quarantined: number
  readonly cells: readonly (Funnel & { readonly cell: CellYield["cell"] })[]
  readonly emptyCells: readonly string[]
}

type Funnel = Omit<CellYield, "cell"> & { readonly accepted: number }

/**
 * What came of each strategy that asked a model, by cell, sorted by name. Of several batches of a strategy the one that
 * asked for most stands for it: a larger batch has what a smaller one had.
 */
export function strategyYields(rows: TaskRows, { accepted }: Pick<ReviewTally, "accepted">): StrategyYield[] {
  const found = rows.grown.batches().flatMap((batch) => rows.grown.yieldOf(batch) ?? [])
  if (found.length === 0) return []
  return [...Map.groupBy(found, ({ strategy }) => strategy)]
    .flatMap(([strategy, batches]): StrategyYield[] => {
      const asked = ({ cells }: (typeof batches)[number]) => cells.reduce((sum, cell) => sum + cell.asked, 0)
      const [largest] = batches.toSorted((a, b) => asked(b) - asked(a))
      if (largest === undefined || largest.requests === 0) return []
      const cells = largest.cells.map((cell) => ({
        ...cell,
        accepted: accepted.get(cellKey(strategy, cellName(cell.cell))) ?? 0,
      }))
      const sum = (key: keyof Funnel) => cells.reduce((total, cell) => total + cell[key], 0)
      const funnel = {
        asked: sum("asked"),
        answered: sum("answered"),
        parsed: sum("parsed"),
        novel: sum("novel"),
        passed: sum("passed"),
      }
      return [
        {
          strategy,
          ...funnel,
          accepted: sum("accepted"),
          quarantined: largest.quarantined,
          cells,
          emptyCells: largest.emptyCells,
        },
      ]
    })
    .sort((a, b) => (a.strategy < b.strategy ? -1 : 1))
}
