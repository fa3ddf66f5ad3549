import { type CardFacts, dataCard } from "../curation/data-card.ts"
import { personalDataKindsIn } from "../curation/privacy.ts"
import type { Example } from "../core/example.ts"
import type { TaskSpecification } from "../core/task.ts"
import { readTombstones } from "../store/erasures.ts"
import { readLicences } from "../store/licences.ts"
import { TaskRows } from "../store/task-rows.ts"
import { Versions } from "../store/versions.ts"
import { reviewAgreement } from "./review-agreement.ts"
import type { StageContext } from "./context.ts"
import { rowOrigins } from "./rights.ts"

/** The data card of a version, and the facts in it. Reads no held-out row: their counts are in the holdout's manifest. Writes nothing. */
export function cardOf(context: StageContext, task: TaskSpecification, version: string): { text: string; facts: CardFacts } {
  const versions = new Versions(context.workspace, task.task)
  const rows = new TaskRows(context.workspace, task.task)
  const manifest = versions.manifest(version as `ds_${string}`)
  const holdout = versions.manifest(manifest.holdout as `hold_${string}`)
  const train = versions.rows(version, "train.jsonl")
  const { items, reviewers, unanimous, alpha } = reviewAgreement(context, task)
  const facts: CardFacts = {
    task,
    manifest,
    holdout,
    trainLabels: tally(train.flatMap((example) => labelsIn(task, example))),
    origins: rowOrigins(context, task, train),
    strategies: tally(train.map(({ provenance }) => provenance.strategy)),
    acceptedBy: tally(train.map(({ provenance }) => provenance.acceptedBy)),
    agreement: { items, reviewers, unanimous, alpha: alpha?.value },
    personalData: {
      train: tally(train.flatMap((example) => personalDataKindsIn(task, example))),
      arrived: tally([...rows.seeds(), ...rows.inputs()].flatMap((row) => row.personalData ?? [])),
    },
    licences: readLicences(context.workspace),
    bases: basesOf(context, task),
    openings: context.readLedger().openings(manifest.holdout).length,
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

function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)))
}
