import type { Command } from "commander"
import { isTerminal } from "../../core/training/run.ts"
import { wantedOf, wantedText } from "../../curation/holdout/prevalence.ts"
import { count } from "../../evaluation/verdict/words.ts"
import { describeWear, type Wear } from "../../evaluation/verdict/wear.ts"
import { holdoutWear } from "../../stages/arriving/holdout-wear.ts"
import type { UnknownLabel } from "../../stages/arriving/unknown-labels.ts"
import { taskOverview } from "../../stages/reviewing/task-overview.ts"
import type { StrategyYield } from "../../stages/reviewing/yields.ts"
import { Versions } from "../../store/rows/versions.ts"
import { ConfigError } from "../../core/errors.ts"
import type { Host } from "../host.ts"
import { joined } from "../plugins.ts"
import { now } from "../machine.ts"
import { type TrainingStanding, trainingStanding } from "../standing-run.ts"
import { currentEndings, describeEnding } from "../models/sunset-checks.ts"
import { alsoWaiting, withCounts } from "../review/counts.ts"
import { describeLease, leaseData } from "../text/lease.ts"
import { nextTraining } from "../text/next-training.ts"

export function register(command: Command, host: Host): void {
  command.argument("[task]", "the task's name; default: every task").action(async (name: string | undefined) => {
    const tasks: TaskStatus[] = []
    const refused: ConfigError[] = []
    const names = name === undefined ? host.workspace.tasks() : [name]
    for (const task of names) {
      try {
        tasks.push(await taskStatus(host, task))
      } catch (error) {
        // One file that is invalid keeps nobody from seeing the other tasks.
        if (!(error instanceof ConfigError)) throw error
        refused.push(error)
      }
    }
    const problem = joined(refused, names.length)
    if (problem !== undefined && tasks.length === 0) throw problem
    const endings = (await currentEndings(host)).filter(
      ({ usedBy }) => name === undefined || usedBy.some(({ task }) => task === name),
    )
    const ledger = host.context().readLedger()
    const runs = new Set((await ledger.runs.list(name === undefined ? {} : { task: name })).map(({ run }) => run))
    const leases = (await ledger.runs.leases()).filter(({ run, state }) => state !== "over" && runs.has(run))
    host.print(
      {
        workspace: host.workspace.root,
        tasks: tasks.map((task) => withCounts(task)),
        deployments: leases.map((lease) => leaseData(lease, now())),
        sunsets: endings.map(({ model, sunset, usedBy, todo }) => ({ model, ...sunset, usedBy, todo })),
      },
      tasks.length === 0
        ? host.workspace.withoutTasks
        : [
            ...tasks.map(describe),
            ...(leases.length === 0
              ? []
              : [["billing now:", ...leases.map((lease) => `  ${describeLease(lease, now())}`)].join("\n")]),
            ...endings.map(describeEnding),
          ].join("\n\n"),
    )
    if (problem !== undefined) throw problem
  })
}

interface TaskStatus {
  readonly task: string
  readonly seeds: number
  readonly split: {
    readonly train: number
    readonly validation: number
    readonly test: number
    readonly testNeeded: number
  }
  /** The examples of the test set as a build has them, answered inputs among them. */
  readonly testRows: number
  readonly inputs: number
  readonly candidates: number
  /** The funnel of each strategy that asked a model. */
  readonly yields: readonly StrategyYield[]
  readonly open: number
  /** How many questions about examples wait, by the fields of their kinds. */
  readonly counts: Readonly<Record<string, number>>
  readonly latest: string | null
  /** Null before a version is built. */
  readonly holdout: ({ readonly id: string } & Wear) | null
  /** How many more train rows of each label the prevalence wants; empty where the specification gives none. */
  readonly wanted: Readonly<Record<string, number>>
  /** The labels of rows that the specification does not have. */
  readonly unknownLabels: readonly UnknownLabel[]
  readonly unknownLabelsText: string | undefined
  readonly run: TrainingStanding["run"]
  readonly verdict: TrainingStanding["verdict"]
  readonly promoted: TrainingStanding["promoted"]
  readonly next: string
}

async function taskStatus(host: Host, name: string): Promise<TaskStatus> {
  const context = host.context()
  const task = context.workspace.readTask(name)
  const { counts, seeds, inputs, candidates, review, yields, unknown } = await taskOverview(context, task)
  const latest = new Versions(context.workspace, name).latest() ?? null
  const manifest = latest === null ? undefined : new Versions(context.workspace, name).manifest(latest)
  const held = manifest?.holdout ?? null
  const wanted = wantedOf(manifest?.prevalence?.targets)
  const holdout = held === null ? null : { id: held, ...(await holdoutWear(context, task, held)) }
  const hasJob = context.workspace.jobsOf(name).length > 0
  const { run, verdict, promoted } = await trainingStanding(context, name)
  const report = verdict?.run === run?.id ? verdict?.report : undefined
  const next =
    unknown !== undefined
      ? unknown.command
      : seeds === 0
        ? `tuneloop seed import ${name} <file>`
        : candidates === 0 && Object.keys(task.expand.strategies).length > 0
          ? `tuneloop expand ${name}`
          : review.open > 0
            ? `tuneloop review export ${name} --out review.xlsx`
            : latest === null
              ? `tuneloop build ${name}`
              : !hasJob || run === null || needsTraining(run.state)
                ? nextTraining(context.workspace, name)
                : !isTerminal(run.state as "running")
                  ? `tuneloop runs watch ${run.id}`
                  : holdout?.isWorn
                    ? `tuneloop holdout refresh ${name}`
                    : report !== undefined
                      ? `open ${report}`
                      : `tuneloop evaluate ${run.id}`
  return {
    task: name,
    seeds,
    split: { train: counts.train, validation: counts.validation, test: counts.test, testNeeded: counts.testNeeded },
    testRows: review.testRows,
    inputs,
    candidates,
    yields,
    open: review.open,
    counts: review.counts,
    latest,
    holdout,
    wanted,
    unknownLabels: unknown?.found ?? [],
    unknownLabelsText: unknown?.message,
    run,
    verdict,
    promoted,
    next,
  }
}

/** Whether nothing comes of the run by itself, as of one of which it is not known whether it has a job. */
function needsTraining(state: string): boolean {
  return ["planned", "uncertain", "failed", "cancelled"].includes(state)
}

function describe(status: TaskStatus): string {
  const { split } = status
  return [
    status.task,
    `  gold      ${status.seeds}: ${split.train} to train, ${split.validation} for validation, ` +
      `${split.test} sealed for the test`,
    `  test      ${describeTest(status)}`,
    ...(status.unknownLabelsText === undefined ? [] : [`  labels    ${status.unknownLabelsText}`]),
    `  inputs    ${count(status.inputs, "real input")}`,
    `  grown     ${count(status.candidates, "candidate")}, ` +
      `${count(status.open, "item")} ${status.open === 1 ? "waits" : "wait"} for a ` +
      `decision${alsoWaiting(status.counts)}`,
    ...status.yields.map(describeYield),
    `  dataset   ${status.latest ?? "none built"}`,
    ...(status.holdout === null ? [] : [`  test set  ${describeWear(status.holdout)}`]),
    ...(Object.keys(status.wanted).length === 0
      ? []
      : [`  wanted    ${wantedText(status.wanted)} (output.prevalence)`]),
    `  run       ${status.run ? `${status.run.id}, ${status.run.state}` : "none"}`,
    ...describeVerdict(status),
    `  next      ${status.next}`,
  ].join("\n")
}

function describeVerdict({ verdict, promoted }: TaskStatus): string[] {
  if (verdict === null) return []
  const report = verdict.report === undefined ? "" : ` (${verdict.report})`
  const before = promoted === null ? "" : `; promoted before: ${promoted}`
  return [`  verdict   ${verdict.verdict}, of ${verdict.run}${report}${before}`]
}

/** The test rows as a build counts them, against what the rule needs of the same. */
function describeTest({ testRows, split }: TaskStatus): string {
  const answered = testRows - split.test
  const parts = answered > 0 ? ` (${split.test} gold and ${count(answered, "answered input")})` : ""
  const needed = `the verdict's rule needs ${split.testNeeded} of them, gold or answered inputs`
  return `${count(testRows, "row")}${parts}; ${needed}`
}

function describeYield({
  strategy,
  asked,
  answered,
  parsed,
  novel,
  passed,
  accepted,
  quarantined,
  emptyCells,
}: StrategyYield): string {
  const unread = quarantined > 0 ? `, ${quarantined} answers could not be read` : ""
  const empty =
    emptyCells.length > 0
      ? "; still empty: " +
        `${emptyCells.slice(0, 5).join("; ")}${emptyCells.length > 5 ? `; and ${emptyCells.length - 5} more` : ""}`
      : ""
  return (
    `            ${strategy}: ${asked} asked, ${answered} answered, ${parsed} parsed, ${novel} novel, ` +
    `${passed} passed, ${accepted} accepted${unread}${empty}`
  )
}
