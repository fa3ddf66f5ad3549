import { contentId } from "../core/canonical.ts"
import type { Candidate } from "../core/example.ts"
import type { ConfiguredFilter } from "../core/filter.ts"
import { inputText } from "../core/output.ts"
import type { Draft } from "../core/strategy.ts"
import type { TaskSpecification } from "../core/task.ts"
import { candidateChecks } from "../curation/filters.ts"
import { NearDuplicateIndex } from "../curation/near-duplicates.ts"
import { qualityChecks } from "../curation/quality.ts"
import type { TaskRows } from "../store/task-rows.ts"

/** A draft with the request that it came from, where a model was asked. */
export type AnsweredDraft = Draft & { readonly request?: string; readonly model?: string }

/** Each draft once as a candidate, in the order given, with every check and what it found. */
export function checkDrafts(
  task: TaskSpecification,
  strategy: string,
  drafts: readonly AnsweredDraft[],
  rows: TaskRows,
  filters: readonly ConfiguredFilter[],
): Candidate[] {
  const known = [...rows.seeds(), ...rows.inputs(), ...rows.candidates()].map((row) => ({ id: row.id, text: inputText(task, row.input) }))
  const index = new NearDuplicateIndex(
    [...known.map(({ text }) => text), ...drafts.map((draft) => inputText(task, draft.input))],
    task.build.threshold,
  )
  for (const { id, text } of known) index.add(id, text)
  const candidates = new Map<string, Candidate>()
  for (const draft of drafts) {
    const id = contentId("cand", { strategy, input: draft.input, output: draft.output })
    if (candidates.has(id)) continue
    const checks = [...candidateChecks({ task, draft, index }), ...qualityChecks(task, draft, filters)]
    candidates.set(id, {
      id,
      ...(draft.request === undefined ? {} : { request: draft.request }),
      parents: [...draft.parents],
      strategy,
      ...(draft.model === undefined ? {} : { model: draft.model }),
      input: draft.input,
      output: draft.output,
      checks,
    })
    if (checks.every(({ ok }) => ok)) index.add(id, inputText(task, draft.input))
  }
  return [...candidates.values()]
}
