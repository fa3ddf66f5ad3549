import type { ReviewItem } from "../../core/rows/review-item.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { foldedRows } from "../../store/rows/folded-rows.ts"
import { candidateFlags } from "../../store/rows/review-columns.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import type { Workspace } from "../../store/workspace.ts"
import { candidateItem } from "../standing/kinds/candidate.ts"
import { reviewItems } from "../standing/review-items.ts"
import { taskExamples, type TaskExamples } from "../standing/task-examples.ts"
import { FoldedCandidates } from "./folded-candidates.ts"
import { keepsOutputs } from "./folded-figures.ts"

/**
 * The items by their ids, decided or not: of a candidate its row alone is read, wherever it stands; all rows are only
 * gone through when another item is asked for, and those that are decided only when it does not wait.
 */
export function itemsById(
  workspace: Workspace,
  task: TaskSpecification,
  rows: TaskRows,
): { readonly itemOf: (id: string) => ReviewItem | undefined; close(): void } {
  const folded = foldedRows({ workspace, task: task.task, rows, withOutputs: keepsOutputs(task) })
  const candidates = folded && new FoldedCandidates(folded.candidates)
  const candidateOf = (id: string): ReviewItem | undefined => {
    const number = candidates?.numberOf(id)
    if (candidates === undefined || number === undefined) return undefined
    const { file, columns, row } = candidates.at(number)
    return (columns.at("flags", row) & candidateFlags.passes) === 0 ? undefined : candidateItem(file.read(row))
  }
  const others = otherItems(task, rows)
  return { itemOf: (id) => candidateOf(id) ?? others(id), close: () => folded?.close() }
}

function otherItems(task: TaskSpecification, rows: TaskRows): (id: string) => ReviewItem | undefined {
  const byId = (items: readonly ReviewItem[]) => new Map(items.map((item) => [item.id, item]))
  let examples: TaskExamples | undefined
  let [waiting, all]: (ReadonlyMap<string, ReviewItem> | undefined)[] = []
  return (id) => {
    examples ??= taskExamples(task, rows)
    waiting ??= byId([...examples.open, ...[...examples.aboutExamples.values()].flat()])
    const item = waiting.get(id)
    if (item !== undefined) return item
    all ??= byId(reviewItems(rows, examples.sources))
    return all.get(id)
  }
}
