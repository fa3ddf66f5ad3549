import type { DatasetId } from "../../core/rows/frozen-ids.ts"
import { type CardFacts, dataCard } from "../../curation/version/data-card.ts"
import { personalDataKindsIn } from "../../curation/version/personal-data-policy.ts"
import type { Example } from "../../core/rows/example.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { readTombstones } from "../../store/rows/erasures.ts"
import { readLicences } from "../../store/licences.ts"
import { SplitPairs } from "../../store/rows/split-pairs.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { Versions } from "../../store/rows/versions.ts"
import { reviewAgreement } from "../reviewing/review-agreement.ts"
import type { StageContext } from "../context.ts"
import { rowOrigins } from "../rights.ts"

/**
 * The data card of a version, and the facts in it. Reads no held-out row: their counts are in the holdout's manifest.
 * Writes nothing. Train rows are gone through once and counted; beyond that memory has what `rowOrigins` and
 * `reviewAgreement` need.
 */
export async function cardOf(
  context: StageContext,
  task: TaskSpecification,
  version: DatasetId,
): Promise<{ text: string; facts: CardFacts }> {
  const versions = new Versions(context.workspace, task.task)
  const rows = new TaskRows(context.workspace, task.task)
  const manifest = versions.manifest(version)
  const holdout = versions.manifest(manifest.holdout)
  const [trainLabels, strategies, acceptedBy, inTrain, arrived] = [
    new Tally(),
    new Tally(),
    new Tally(),
    new Tally(),
    new Tally(),
  ]
  function* counted() {
    for (const example of versions.each(version, "train.jsonl")) {
      trainLabels.add(labelsIn(task, example))
      strategies.add([example.provenance.strategy])
      acceptedBy.add([example.provenance.acceptedBy])
      inTrain.add(personalDataKindsIn(task, example))
      yield example
    }
  }
  const origins = rowOrigins(context, task, counted())
  for (const row of rows.eachSeed()) arrived.add(row.personalData ?? [])
  for (const row of rows.eachInput()) arrived.add(row.personalData ?? [])
  const { items, reviewers, unanimous, alpha } = reviewAgreement(context, task)
  const facts: CardFacts = {
    task,
    manifest,
    holdout,
    trainLabels: trainLabels.counts(),
    origins,
    strategies: strategies.counts(),
    acceptedBy: acceptedBy.counts(),
    agreement: { items, reviewers, unanimous, alpha: alpha?.value },
    personalData: { train: inTrain.counts(), arrived: arrived.counts() },
    licences: readLicences(context.workspace),
    bases: basesOf(context, task),
    splitPairs: new SplitPairs(rows.folder).counts(),
    openings: (await context.readLedger().openings.of(manifest.holdout)).length,
    erased: readTombstones(rows.folder).length,
  }
  return { text: dataCard(facts), facts }
}

function basesOf(context: StageContext, task: TaskSpecification): { job: string; baseModel: string }[] {
  return context.workspace.jobs().flatMap((name) => {
    const job = context.workspace.readJob(name)
    return job.task === task.task ? [{ job: name, baseModel: job.baseModel }] : []
  })
}

function labelsIn(task: TaskSpecification, { output }: Example): string[] {
  if (task.kind === "label") return [String(output)]
  return task.kind === "multilabel" ? [(output as readonly string[]).join("+") || "none"] : []
}

class Tally {
  readonly #counts = new Map<string, number>()

  add(words: readonly string[]): void {
    for (const word of words) this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1)
  }

  counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}
