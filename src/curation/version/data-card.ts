import type { SplitPairCounts } from "../../core/rows/split-pairs.ts"
import type { DatasetManifest, HoldoutManifest } from "../../core/rows/manifests.ts"
import {
  brokenRules,
  licenceOf,
  notStated,
  unknownLicence,
  type ModelLicence,
  type Origins,
} from "../../core/task/rights.ts"
import type { TaskSpecification } from "../../core/task/task.ts"

/** Everything a data card tells; the counts are of rows. */
export interface CardFacts {
  readonly task: TaskSpecification
  readonly manifest: DatasetManifest
  readonly holdout: HoldoutManifest
  readonly trainLabels: Readonly<Record<string, number>>
  readonly origins: Origins
  readonly strategies: Readonly<Record<string, number>>
  readonly acceptedBy: Readonly<Record<string, number>>
  /**
   * Of the items that more than one reviewer decided on; alpha is Krippendorff's, undefined where it is not defined.
   */
  readonly agreement: {
    readonly items: number
    readonly reviewers: readonly string[]
    readonly unanimous: number
    readonly alpha: number | undefined
  }
  /** Kinds of personal data: in the train rows now, and in seeds and inputs when they arrived. */
  readonly personalData: {
    readonly train: Readonly<Record<string, number>>
    readonly arrived: Readonly<Record<string, number>>
  }
  readonly licences: readonly ModelLicence[]
  /** The base models of the task's jobs. */
  readonly bases: readonly { readonly job: string; readonly baseModel: string }[]
  /** How often the sealed test set was opened. */
  readonly openings: number
  /** What the splits of a data set had in common that was taken in; undefined where none was. */
  readonly splitPairs?: SplitPairCounts | undefined
  readonly erased: number
}

/**
 * The data card of a version in Markdown: the same bytes for the same facts. What nobody stated is called unknown,
 * never left out.
 */
export function dataCard(facts: CardFacts): string {
  const { manifest } = facts
  return `${[
    `# Data card: ${manifest.task}, ${manifest.id}`,
    facts.task.description,
    ...intendedUse(facts),
    ...counts(facts),
    ...provenance(facts),
    ...drops(facts),
    ...review(facts),
    ...personalData(facts),
    ...rights(facts),
  ].join("\n\n")}\n`
}

function intendedUse({ task }: CardFacts): string[] {
  const outside = task.kind === "label" ? task.output.outOfScope : undefined
  return [
    "## Intended use",
    `To train and to evaluate a model for the task above (kind: ${task.kind}). No other use was looked at.`,
    ...(outside === undefined ? [] : [`What the task is not about has the label \`${outside}\`.`]),
    ...(task.guideline.trim() === ""
      ? []
      : [`The guideline that people decided by:\n\n${quote(task.guideline.trim())}`]),
  ]
}

function counts(facts: CardFacts): string[] {
  const { manifest, holdout, trainLabels, openings } = facts
  const rowsOf = (file: string) => holdout.files[file]?.rows ?? 0
  const labels = [...new Set([...Object.keys(trainLabels), ...Object.keys(holdout.perLabel)])].sort()
  const total = ["all", manifest.kept, rowsOf("validation.jsonl"), rowsOf("test.jsonl")]
  return [
    "## Rows",
    table(
      ["label", "train", "validation", "test"],
      [
        // A label may have the name of something that every object has.
        ...(labels.length < 2 ? [] : labels).map((label) => {
          const held = Object.hasOwn(holdout.perLabel, label) ? holdout.perLabel[label] : undefined
          const inTrain = Object.hasOwn(trainLabels, label) ? trainLabels[label] : undefined
          return [label, inTrain ?? 0, held?.validation ?? 0, held?.test ?? 0]
        }),
        total,
      ],
    ),
    `Validation and test (holdout ${holdout.id}) are real or gold examples only. The test set was ${times(openings)}.`,
    `Leaks into what is held out: ${manifest.leaks.found}, by ${manifest.leaks.checks.join(", ")}. ${removed(facts)}`,
    ...sharedBySplits(facts),
    `Train rows that are near-duplicates and have unequal outputs: ${count(manifest.conflicts, "pair")} kept, ` +
      `${count(manifest.dropped["conflict"] ?? 0, "row")} left out.`,
  ]
}

/** What the figure of leaks is none of: it is that of the version as it is. */
function removed({ manifest: { dropped } }: CardFacts): string {
  const found = Object.entries(dropped).filter(([reason]) => reason === "lineage" || reason.startsWith("leak-"))
  const rows = found.reduce((sum, [, each]) => sum + each, 0)
  if (rows === 0) return "None was found in what was read."
  const reasons = found.map(([reason, each]) => `${each} ${reason}`).join(", ")
  return `Found in what was read, and left out of train: ${count(rows, "row")} (${reasons}).`
}

/** What the data set's own splits had in common, where it came with some. */
function sharedBySplits({ splitPairs, holdout }: CardFacts): string[] {
  if (splitPairs === undefined || splitPairs.holdout !== holdout.id || splitPairs.between.length === 0) return []
  return [
    "The data set came with splits that had rows in common, equal or nearly:",
    splitPairs.between
      .map(
        ({ a, b, pairs, otherOutput, rowsOfA }) =>
          `- ${count(rowsOfA, "row")} of ${a} and ${b}: ${count(pairs, "pair")}, ${otherOutput} of them with ` +
          `different outputs; ${a === "train" ? "left out of train" : "still in both"}.`,
      )
      .join("\n"),
  ]
}

function count(rows: number, noun: string): string {
  return `${rows} ${noun}${rows === 1 ? "" : "s"}`
}

function provenance({ strategies, acceptedBy, origins }: CardFacts): string[] {
  return [
    "## Where the train rows come from",
    table(["how it was made", "rows"], Object.entries(strategies)),
    table(["source, of a row or of what it was grown from", "rows"], [...origins.sources]),
    table(["accepted by", "rows"], Object.entries(acceptedBy)),
  ]
}

function drops({ manifest, erased }: CardFacts): string[] {
  return [
    "## Left out",
    `${manifest.read} rows were read, ${manifest.kept} kept, ${manifest.read - manifest.kept} left out.`,
    ...(Object.keys(manifest.dropped).length === 0
      ? []
      : [table(["reason", "rows"], Object.entries(manifest.dropped))]),
    ...(erased === 0 ? [] : [`${erased} rows of the task were erased on request.`]),
  ]
}

function review({ agreement }: CardFacts): string[] {
  const { items, reviewers, unanimous, alpha } = agreement
  if (items === 0) return ["## Agreement of reviewers", "Unknown: no item was decided on by more than one reviewer."]
  const value = alpha === undefined ? "not defined (all gave one answer)" : alpha.toFixed(2)
  return [
    "## Agreement of reviewers",
    `${items} items were decided on by more than one reviewer (${reviewers.join(", ")}); on ${unanimous} ` +
      `all agreed. Krippendorff's alpha: ${value}.`,
  ]
}

function personalData({ personalData: { train, arrived } }: CardFacts): string[] {
  const list = (found: Readonly<Record<string, number>>) =>
    Object.entries(found)
      .map(([kind, rows]) => `${kind} in ${rows} rows`)
      .join(", ") || "none found"
  return [
    "## Personal data and secrets",
    `By patterns, which find no names of people: in the train rows ${list(train)}; in seeds and inputs ` +
      `when they arrived ${list(arrived)}.`,
  ]
}

function rights({ task, origins, licences, bases }: CardFacts): string[] {
  const sources = [...origins.sources.keys()].map((name) => {
    const right = task.rights.sources[name]
    return [
      name,
      right?.licence ?? unknownLicence,
      right?.note ?? (name === notStated ? "these rows name no source" : ""),
    ]
  })
  const model = (name: string) => {
    const fact = licenceOf(name, licences)
    return fact === undefined
      ? [unknownLicence, "", ""]
      : [fact.licence, fact.terms ?? "", `${fact.source} (checked ${fact.checked})`]
  }
  const forbidden = brokenRules(task.rights, origins, licences)
  return [
    "## Rights",
    table(["source", "licence", "note"], sources),
    origins.generators.size === 0
      ? "No model grew train rows."
      : table(
          ["model that grew rows", "rows", "licence", "terms", "where it is written"],
          [...origins.generators].map(([name, rows]) => [name, rows, ...model(name)]),
        ),
    bases.length === 0
      ? "No job of this task names a base model yet."
      : table(
          ["base model", "job", "licence", "terms", "where it is written"],
          bases.map(({ job, baseModel }) => [baseModel, job, ...model(baseModel)]),
        ),
    task.rights.forbid.length === 0
      ? "The specification forbids no combination of them."
      : forbidden.length === 0
        ? `None of the ${task.rights.forbid.length} combinations that the specification forbids is met.`
        : `Forbidden by the specification, and met: ${forbidden.map(({ met }) => met.join(" and ")).join("; ")}.`,
  ]
}

function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n")
}

function quote(text: string): string {
  return text
    .split("\n")
    .map((line) => `> ${line}`.trimEnd())
    .join("\n")
}

function times(count: number): string {
  return count === 0 ? "never opened" : count === 1 ? "opened once" : `opened ${count} times`
}
