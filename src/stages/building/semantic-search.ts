import { normaliseStrings } from "../../curation/text/normalise.ts"
import { outbound } from "../../curation/version/personal-data-policy.ts"
import { byWorth } from "../../curation/rows/ranking.ts"
import { semanticDuplicates, type SemanticFindings } from "../../curation/version/semantic-duplicates.ts"
import { DataError } from "../../core/errors.ts"
import type { Embedder } from "../../core/asking/embedding.ts"
import type { Example, Input } from "../../core/rows/example.ts"
import { inputText } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { readBenchmarks } from "./benchmarks.ts"
import { requirePrivate } from "../privacy.ts"
import type { StageContext } from "../context.ts"
import type { Asking } from "../asking/asking.ts"
import { embedTexts } from "../asking/embed.ts"
import { taskExamples } from "../standing/task-examples.ts"

interface HeldOutInput {
  readonly id: string
  readonly input: Input
}

/** Looks through the rows that a build would keep for those that say the same in other words. */
export type SemanticSearch = (kept: readonly Example[], heldOut: readonly HeldOutInput[]) => SemanticFindings

/**
 * The search that `build.semantic` of the specification asks for, with the vector of every input of the task at hand;
 * undefined where it asks for none. Texts go to the server as they go into a version, with the pseudonyms of the
 * privacy policy.
 */
export async function prepareSemanticSearch(
  context: StageContext,
  task: TaskSpecification,
  { open, asking }: { readonly open: (baseUrl: string) => Embedder; readonly asking: Asking },
): Promise<SemanticSearch | undefined> {
  const settings = task.build.semantic
  if (settings === undefined) return undefined
  const rows = new TaskRows(context.workspace, task.task)
  const textOf = (input: Input) => inputText(task, normaliseStrings(input))
  const sent = (input: Input) => textOf(outbound(task, { input, output: null }).input)
  const { train, validation, test, retired } = taskExamples(task, rows)
  requirePrivate(task, [...train, ...validation, ...test, ...retired, ...rows.inputs()])
  const texts = [
    // With its output, as a version has it: a pseudonym counts through both.
    ...[...train, ...validation, ...test, ...retired].flatMap((row) => [
      { id: row.id, text: textOf(outbound(task, row).input) },
      { id: row.id, text: sent(row.input) },
    ]),
    ...[...rows.inputs(), ...readBenchmarks(context.workspace, task).rows].map(({ id, input }) => ({
      id,
      text: sent(input),
    })),
  ]
  const distinct = [...Map.groupBy(texts, ({ text }) => text)]
    .filter(([text]) => text.trim() !== "")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([text, said]) => ({ text, rows: said.map(({ id }) => id) }))
  const vectors = await embedTexts(context, asking, settings, distinct, open(settings.baseUrl))
  const byText = new Map(distinct.map(({ text }, place) => [text, vectors[place] as Float32Array]))
  const vectorOf = ({ id, input }: HeldOutInput) => {
    const vector = byText.get(textOf(input))
    if (vector !== undefined) return vector
    throw new DataError(
      `the rows of ${task.task} changed while they were looked through: ${id} has no vector`,
      [],
      "Build again.",
    )
  }
  return (kept, heldOut) => {
    const ranked = byWorth(kept.map((row) => ({ ...row, rank: rankOf(row), text: textOf(row.input) })))
    const best = ranked.map(({ rank: _rank, text: _text, ...row }) => row)
    // A benchmark's or an input's text may be empty: nothing is near it.
    const compared = heldOut.filter(({ input }) => textOf(input).trim() !== "")
    const { threshold, drop } = settings
    const found = semanticDuplicates({
      task,
      train: best,
      heldOut: compared,
      vectors: { train: best.map(vectorOf), heldOut: compared.map(vectorOf) },
      threshold,
      drop,
    })
    const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
    return { ...found, kept: found.kept.toSorted(byId) }
  }
}

function rankOf({ provenance: { strategy, acceptedBy } }: Example): { human: boolean; reviewed: boolean } {
  return { human: strategy === "gold" || strategy === "answered-input", reviewed: !acceptedBy.startsWith("policy:") }
}
