import type { Command } from "commander"
import { build, type BuildResult } from "../../stages/building/build.ts"
import { describeDrops } from "../../stages/building/version-content.ts"
import type { BuildFromResult } from "../../stages/building/build-from.ts"
import type { SplitLeak } from "../../stages/building/split-pairs.ts"
import { wantedOf, wantedText } from "../../curation/holdout/prevalence.ts"
import { count } from "../../evaluation/verdict/words.ts"
import type { WitnessReport } from "../../stages/building/witness-version.ts"
import type { SemanticSearch } from "../../stages/building/semantic-search.ts"
import type { StageContext } from "../../stages/context.ts"
import type { DatasetManifest } from "../../core/rows/manifests.ts"
import type { SplitPairCounts } from "../../core/rows/split-pairs.ts"
import { SplitPairs } from "../../store/rows/split-pairs.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { Host } from "../host.ts"
import { loadFilters, readCheckedTask } from "../plugins.ts"
import { nextTraining } from "../text/next-training.ts"
import { addFileOptions, noteFiles, splitFiles } from "../import-command.ts"

interface Options {
  readonly from?: readonly string[]
  readonly column?: ReadonlyMap<string, string>
  readonly sheet?: string
  readonly skipInvalid?: boolean
}

export function register(command: Command, host: Host): void {
  command
    .argument("<task>", "the task's name")
    .option(
      "--from <file...>",
      "take in a data set that was not grown here first; train=, validation= or test= before a file names its split",
    )
    .option("--skip-invalid", "with --from: take the valid rows although others are invalid")
  addFileOptions(command)
    .addHelpText(
      "after",
      "\nExamples:\n  tuneloop build ticket-triage\n  tuneloop build intents --from train=a.csv " +
        "test=b.csv --column output=intent",
    )
    .action(async (task: string, options: Options) => {
      const specification = await readCheckedTask(host.workspace, task)
      if (options.from === undefined) {
        const context = host.context()
        const { buildThreads: threads } = await import("../threads.ts")
        const findSemantic = await semanticSearch(host, context, specification)
        const result = await build(context, specification, await loadFilters(specification), { findSemantic, threads })
        host.print(buildData(result), describeBuild(result))
        host.next(nextAfter(host, task, result))
        return
      }
      const { buildFrom } = await import("../../stages/building/build-from.ts")
      const { buildThreads: threads } = await import("../threads.ts")
      const { files, splitOf } = splitFiles(host, options.from)
      const result = await buildFrom(
        host.context(),
        specification,
        {
          ...{ files, splitOf, skipInvalid: options.skipInvalid === true, sheet: options.sheet },
          columns: options.column ?? new Map(),
        },
        {
          filters: await loadFilters(specification),
          prepare: () => semanticSearch(host, host.context(), specification),
          threads,
        },
      )
      noteFiles(host, result.imported)
      host.print(buildFromData(result), describeBuildFrom(host, result))
      host.next(nextAfter(host, task, result.built))
    })
}

function nextAfter({ workspace }: Host, task: string, { open }: BuildResult): string {
  if (open > 0) return `tuneloop review export ${task} --out review.xlsx`
  return nextTraining(workspace, task)
}

/** What looks for duplicates in other words, where the specification wants it; nothing is loaded or asked otherwise. */
export async function semanticSearch(
  host: Host,
  context: StageContext,
  task: TaskSpecification,
): Promise<SemanticSearch | undefined> {
  if (task.build.semantic === undefined) return undefined
  const { prepareSemanticSearch } = await import("../../stages/building/semantic-search.ts")
  const { openEmbedder } = await import("../../models/_embeddings.ts")
  const { Asking } = await import("../../stages/asking/asking.ts")
  const { embeddingTerms } = await import("../../stages/growing/asking-terms.ts")
  return prepareSemanticSearch(context, task, {
    open: (baseUrl) => openEmbedder(host.environment, { baseUrl, fetch: host.fetch }),
    asking: new Asking(context, embeddingTerms(task)),
  })
}

/** The `--json` object of a build; a stable contract. */
export function buildData({
  state,
  manifest,
  rows,
  open,
  flagged: flaggedRows,
  costs,
  witness,
  semantic,
  heldOutPairs,
}: BuildResult): Record<string, unknown> {
  const {
    task,
    id: version,
    holdout,
    read,
    kept,
    dropped,
    conflicts,
    flagged,
    personalData,
    leaks,
    prevalence,
  } = manifest
  const told = {
    task,
    state,
    version,
    holdout,
    rows,
    read,
    kept,
    dropped,
    conflicts,
    flagged,
    flaggedRows,
    personalData,
    leaks,
    open,
    costs,
    witness,
    heldOutPairs: { duplicates: heldOutPairs.duplicates.length, conflicts: heldOutPairs.conflicts.length },
  }
  return {
    ...told,
    ...(prevalence === undefined ? {} : { prevalence }),
    ...(semantic === undefined ? {} : { semantic }),
  }
}

function buildFromData({ imported, built, leaks, pairs }: BuildFromResult): Record<string, unknown> {
  const { read, added, corrected, unchanged, invalid, heldElsewhere } = imported
  return {
    ...buildData(built),
    imported: { read, added, corrected, unchanged, invalid, heldElsewhere },
    splitLeaks: leaks,
    splitPairs: pairs.between,
  }
}

function describeBuildFrom({ workspace }: Host, { imported, built, leaks, pairs }: BuildFromResult): string {
  const { read, added, corrected, unchanged, invalidRows, heldElsewhere } = imported
  const lines = [
    `${count(read, "row")} read: ${added} added, ${corrected} corrected, ${unchanged} unchanged, ` +
      `${invalidRows} skipped${invalidRows > 0 ? " (--skip-invalid)" : ""}`,
    ...describeLeaks(leaks),
    ...describePairs(new SplitPairs(workspace.taskFolder(built.manifest.task)), pairs, (path) => workspace.show(path)),
  ]
  if (heldElsewhere.length > 0)
    lines.push(
      `${heldElsewhere.length} rows stay where they were held before: ${heldElsewhere
        .slice(0, 3)
        .map(({ id, split, asked }) => `${id} in ${split}, not ${asked}`)
        .join("; ")}${heldElsewhere.length > 3 ? "; …" : ""}`,
    )
  return [...lines, describeBuild(built)].join("\n")
}

/** The leaks between the splits of a data set as it came, counted by check and pair of splits, each with an example. */
function describeLeaks(leaks: readonly SplitLeak[]): string[] {
  if (leaks.length === 0) return ["no row of it met what is held out"]
  const groups = [...Map.groupBy(leaks, (leak) => `${leak.in} and ${leak.heldOutIn} (${leak.check})`)].sort(
    ([a], [b]) => (a < b ? -1 : 1),
  )
  return [
    `${count(leaks.length, "row")} of it met what is held out; those in train are dropped, held-out rows stay:`,
    ...groups.map(([pair, found]) => {
      const example = found[0] as SplitLeak
      const similar = example.similarity === undefined ? "" : `, similarity ${example.similarity.toFixed(2)}`
      return `  ${found.length} in ${pair}, as ${example.row} with ${example.heldOut}${similar}`
    }),
  ]
}

/** How many pairs the splits had in common, and the files that have them all. */
function describePairs(files: SplitPairs, { between }: SplitPairCounts, show: (path: string) => string): string[] {
  if (between.length === 0) return []
  const other = between.reduce((sum, { otherOutput }) => sum + otherOutput, 0)
  return [
    ...between.map(
      ({ a, b, pairs, otherOutput, rowsOfA }) =>
        `  ${a} and ${b}: ${count(pairs, "pair")} of ${count(rowsOfA, "row")} in ${a}` +
        (otherOutput === 0 ? "" : `, ${otherOutput} with different outputs`),
    ),
    `  all pairs with their texts: ${show(files.sameOutputFile)}` +
      (other === 0 ? "" : `; with different outputs: ${show(files.otherOutputFile)}`),
  ]
}

export function describeBuild(result: BuildResult): string {
  const { state, manifest, rows, open, conflicts, flagged, semantic, witness } = result
  const lines = [
    `${state === "unchanged" ? "unchanged" : "built"}: ${manifest.id}, ${count(rows.train, "row")} to train on; ` +
      `holdout ${manifest.holdout}, ${rows.validation} validation and ${count(rows.test, "test row")}` +
      (result.answeredTest > 0
        ? ` (${count(rows.test - result.answeredTest, "gold example")} and ` +
          `${count(result.answeredTest, "answered input")})`
        : ""),
    `read ${manifest.read} = kept ${manifest.kept} + dropped ${manifest.read - manifest.kept} ` +
      `(${describeDrops(manifest.dropped)})`,
    `leaks: none by ${manifest.leaks.checks.join(", ")}`,
    ...describeWitness(witness),
  ]
  if (conflicts.length > 0)
    lines.push(
      `${count(conflicts.length, "pair")} of near-duplicates with different outputs to decide on (tuneloop review export ${manifest.task} --only conflict): ${conflicts
        .slice(0, 3)
        .map(({ a, b }) => `${a} and ${b}`)
        .join("; ")}${conflicts.length > 3 ? "; …" : ""}`,
    )
  lines.push(...describeHeldOut(manifest.task, result.heldOutPairs))
  const { personalData } = manifest
  if (personalData.rows > 0)
    lines.push(
      `personal data or secrets in ${count(personalData.rows, "row")} (${Object.entries(personalData.found)
        .map(([kind, found]) => `${found} ${kind}`)
        .join(", ")}): ${whatWasDone[personalData.policy as keyof typeof whatWasDone]}`,
    )
  if (flagged.length > 0)
    lines.push(
      `${count(new Set(flagged.map(({ id }) => id)).size, "row")} of people to look at, kept all the same: ${flagged
        .slice(0, 3)
        .map(
          ({ id, filter, code, place, detail }) =>
            `${id} (${filter}/${code} in the ${place}${detail === undefined ? "" : `: ${detail}`})`,
        )
        .join("; ")}${flagged.length > 3 ? "; …" : ""}`,
    )
  if (semantic !== undefined) lines.push(...describeSemantic(manifest, semantic))
  const wanted = wantedText(wantedOf(manifest.prevalence?.targets))
  if (wanted !== "") lines.push(`rows are weighted by output.prevalence; wanted, for its shares: ${wanted}`)
  if (open > 0) lines.push(`${count(open, "item")} without a decision, not in it`)
  return lines.join("\n")
}

/** Rows of the holdout with the same input, by their ids alone. */
function describeHeldOut(task: string, { duplicates, conflicts }: BuildResult["heldOutPairs"]): string[] {
  const first = (pairs: BuildResult["conflicts"]) =>
    `${pairs
      .slice(0, 3)
      .map(({ a, b }) => `${a} and ${b}`)
      .join("; ")}${pairs.length > 3 ? "; …" : ""}`
  return [
    ...(conflicts.length > 0
      ? [
          `${count(conflicts.length, "pair")} of held-out rows with the same input and different outputs to decide ` +
            `on (tuneloop review export ${task} --only conflict): ${first(conflicts)}`,
        ]
      : []),
    ...(duplicates.length > 0
      ? [
          `${count(duplicates.length, "held-out row")} twice in the holdout, and in every figure; take out one of ` +
            `each (tuneloop dataset erase ${task} <id>): ${first(duplicates)}`,
        ]
      : []),
  ]
}

/** Nothing where a witness found what the build says, all of it. */
function describeWitness({ found, near }: WitnessReport): string[] {
  const lines = found
    .slice(0, 3)
    .map(({ check, train, heldOut }) => `  ${train} met ${heldOut} (${check}) and was dropped`)
  if (found.length > 0)
    lines.unshift(`${count(found.length, "leak")} that the build had missed, a fault of tuneloop (please report it):`)
  if (near.mostMissed > 0)
    lines.push(
      `near pairs: ${near.compared} of ${near.candidates} rows that share much with held-out ones ` +
        `were looked at once more; at most ${near.mostMissed} of the others may be near one (95 %)`,
    )
  return lines
}

function describeSemantic({ semantic }: DatasetManifest, found: NonNullable<BuildResult["semantic"]>): string[] {
  const done = semantic?.dropped === true ? "dropped" : "told, not dropped (build.semantic.drop)"
  return (
    [
      ["near held-out ones", found.nearHeldOut],
      ["near other train rows with the same output", found.duplicates],
    ] as const
  ).map(([where, pairs]) => {
    const shown = pairs
      .slice(0, 3)
      .map(({ row, witness, similarity }) => `${row} and ${witness} (${similarity.toFixed(2)})`)
    const named = pairs.length === 0 ? "" : `, ${done}: ${shown.join("; ")}${pairs.length > 3 ? "; …" : ""}`
    return `by meaning, ${count(pairs.length, "train row")} ${where}${named}`
  })
}

const whatWasDone = {
  flag: "left as they are (privacy.personalData: flag)",
  refuse: "left as they are, for they were there before such rows were refused",
  drop: "train rows dropped, held-out rows with pseudonyms",
  pseudonymise: "replaced by pseudonyms",
}
