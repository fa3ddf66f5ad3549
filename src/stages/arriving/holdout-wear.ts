import type { HoldoutId } from "../../core/rows/frozen-ids.ts"
import { digits } from "../../curation/leaks/lineage.ts"
import { wearOf, type Opening, type Wear } from "../../evaluation/verdict/wear.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { StageContext } from "../context.ts"

/**
 * The digits of the ids of all test rows that were ever opened, when the test set of now is worn; undefined while it is
 * not.
 */
export async function wornRows(context: StageContext, task: TaskSpecification): Promise<Set<string> | undefined> {
  const versions = new Versions(context.workspace, task.task)
  const latest = versions.latest()
  if (latest === undefined) return undefined
  const { isWorn } = await holdoutWear(context, task, versions.manifest(latest).holdout)
  if (!isWorn) return undefined
  return new Set((await testOpenings(context, versions)).flatMap(({ rows }) => rows.map(digits)))
}

/**
 * How worn the holdout's test rows are, by every opening of a holdout of the task that had them. Reads the ids of test
 * rows only.
 */
export async function holdoutWear(context: StageContext, task: TaskSpecification, holdout: HoldoutId): Promise<Wear> {
  const versions = new Versions(context.workspace, task.task)
  return wearOf(versions.testIds(holdout), await testOpenings(context, versions), {
    limit: task.holdout.openings,
    confidence: task.verdict.confidence,
  })
}

/** Every opening of the task's test rows that the ledger knows, with the rows that were opened. */
export async function testOpenings(context: StageContext, versions: Versions): Promise<Opening[]> {
  const opened: Opening[] = []
  for (const holdout of versions.holdoutIds()) {
    const openings = await context.readLedger().openings.of(holdout)
    if (openings.length === 0) continue
    const rows = versions.testIds(holdout)
    opened.push(...openings.map(({ evaluation }) => ({ evaluation, rows })))
  }
  return opened
}
