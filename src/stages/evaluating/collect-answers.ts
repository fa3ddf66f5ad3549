import { existsSync } from "node:fs"
import { join } from "node:path"
import { trainLinearModel } from "../../curation/learned/linear-model.ts"
import { taintedRows, type Taint, type Training } from "../../curation/leaks/taint.ts"
import { contentId, digest } from "../../core/canonical.ts"
import type { FineTuneBackend, GenerationJob, Prediction, TrainingPlan } from "../../core/contracts/backend.ts"
import { ConfigError, ToolkitError } from "../../core/errors.ts"
import type { Example } from "../../core/rows/example.ts"
import type { JobSpecification } from "../../core/training/job.ts"
import type { ScoredRow } from "../../core/contracts/metric.ts"
import { inputText, parseOutput } from "../../core/task/output.ts"
import { promptVersion, renderQuestion } from "../../core/task/prompt.ts"
import { labelsOf, type TaskSpecification } from "../../core/task/task.ts"
import { readLines, readText, toJsonLines, writeAtomically } from "../../store/files/files.ts"
import { readPlan, runFiles } from "../../store/rows/run-files.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { Versions } from "../../store/rows/versions.ts"
import { baseOf, type ModelRef } from "../../core/training/model-ref.ts"
import type { StageContext } from "../context.ts"

/** Raised when a change here would give other predictions or figures from the same run. */
const semantics = 1

/** What the contenders answered, before it is scored. */
export interface Answers {
  readonly evaluation: string
  readonly plan: TrainingPlan
  readonly holdout: string
  /** The test rows that no contender has seen: those that are scored. */
  readonly test: readonly Example[]
  /** The test rows that a contender was trained on, or nearly: no contender is scored on them. */
  readonly tainted: readonly Taint[]
  readonly contenders: readonly ContenderAnswers[]
  readonly validation: { readonly examples: readonly Example[]; readonly answers: ContenderAnswers }
  readonly shots: readonly string[]
  readonly trainRows: number
}

export interface ContenderAnswers {
  readonly name: string
  readonly predictions: readonly Prediction[]
}

/**
 * The id of the evaluation of the run by the job's settings: equal for equal plan, holdout, prompt, contenders and
 * rule.
 */
export function evaluationId(
  task: TaskSpecification,
  job: JobSpecification,
  run: string,
  plan: TrainingPlan,
  holdout = plan.holdout,
): string {
  return contentId("eval", {
    semantics,
    run,
    plan: digest(plan),
    task: task.task,
    output: task.output,
    verdict: task.verdict,
    evaluation: job.evaluation,
    ...(holdout === plan.holdout ? {} : { holdout }),
  })
}

/** Where the evaluation's result lies. */
export function evaluationFile(context: StageContext, run: string, evaluation: string): string {
  return join(context.workspace.runFolder(run), "evaluations", `${evaluation}.json`)
}

/**
 * The answers of every contender on the sealed test rows that none of them has seen, and of the tuned model on the
 * validation set for looking at failures. `holdout` may be a later one than the run's own. The opening of the test set
 * is in the ledger before the first test row is read. Answers that are there already are not asked for again.
 */
export async function collectAnswers(
  context: StageContext,
  task: TaskSpecification,
  job: JobSpecification,
  run: string,
  backend: FineTuneBackend,
  given?: string,
): Promise<Answers> {
  const files = runFiles(context.workspace, run)
  const plan = requirePlan(context, task, run)
  const holdout = given ?? plan.holdout
  const evaluation = evaluationId(task, job, run, plan, holdout)
  const versions = new Versions(context.workspace, task.task)
  await context.ledger().openings.record({ task: task.task, holdout, evaluation, purpose: `evaluation of ${run}` })
  const sealed = versions.rows(holdout, "test.jsonl")
  const validation = versions.rows(holdout, "validation.jsonl")
  const trainExamples = versions.rows(plan.dataset, "train.jsonl")
  if (sealed.length === 0)
    throw new ToolkitError(`holdout ${holdout} has no test examples`, {
      code: "no-test",
      hint: `Import more gold examples: tuneloop seed import ${task.task} <file>`,
    })
  const shots = chooseShots(task, job, trainExamples)
  const wanted = ["tuned", ...job.evaluation.contenders.filter((name) => name !== "tuned")]
  // A version was checked against its own holdout when it was built.
  const isChecked = versions.manifest(plan.dataset as `ds_${string}`).holdout === holdout
  const tainted = isChecked ? [] : taints(context, task, sealed, trainings(wanted, trainExamples, shots))
  const test = withoutTainted(sealed, tainted, holdout)
  const folder = join(files.folder, "predictions", evaluation)
  const jobs: GenerationJob[] = []
  const base = baseOf(plan)
  const tuned: ModelRef = { kind: "adapter", base, location: files.adapter }
  const generated = (
    name: string,
    rows: readonly Example[],
    options: { model: ModelRef; shots: readonly Example[]; latency: boolean },
  ) => {
    const file = join(folder, "rows", `${name}.jsonl`)
    writeAtomically(
      file,
      toJsonLines(
        rows.map((example) => ({ id: example.id, messages: renderQuestion(task, example.input, options.shots) })),
      ),
    )
    jobs.push({
      name,
      model: options.model,
      rows: file,
      predictions: join(folder, `${name}.jsonl`),
      maxNewTokens: job.evaluation.maxNewTokens,
      latency: options.latency,
    })
  }
  for (const name of wanted) {
    if (name === "tuned") generated(name, test, { model: tuned, shots: [], latency: true })
    else if (name === "zero-shot") generated(name, test, { model: { kind: "base", ...base }, shots: [], latency: true })
    else if (name === "few-shot") generated(name, test, { model: { kind: "base", ...base }, shots, latency: true })
  }
  generated("tuned-validation", validation, { model: tuned, shots: [], latency: false })
  await generate(context, plan, job, jobs, folder, backend)
  const contenders = wanted.flatMap((name): ContenderAnswers[] => {
    if (name === "linear") return task.kind === "label" ? [linearAnswers(context, task, trainExamples, test)] : []
    return [{ name, predictions: readPredictions(join(folder, `${name}.jsonl`)) }]
  })
  return {
    evaluation,
    plan,
    holdout,
    test,
    tainted,
    contenders,
    validation: {
      examples: validation,
      answers: { name: "tuned", predictions: readPredictions(join(folder, "tuned-validation.jsonl")) },
    },
    shots: shots.map(({ id }) => id),
    trainRows: trainExamples.length,
  }
}

/** What each contender has seen: a new kind of contender says so here. */
function trainings(wanted: readonly string[], train: readonly Example[], shots: readonly Example[]): Training[] {
  const seenBy = (names: readonly string[]) => wanted.filter((name) => names.includes(name))
  return [
    { contenders: seenBy(["tuned", "linear"]), rows: train },
    { contenders: seenBy(["few-shot"]), rows: shots },
  ].filter(({ contenders }) => contenders.length > 0)
}

function taints(
  context: StageContext,
  task: TaskSpecification,
  test: readonly Example[],
  seen: readonly Training[],
): Taint[] {
  context.report.progress("looking for test rows that a contender was trained on")
  const { threshold, ngram } = task.build
  const known = new TaskRows(context.workspace, task.task).grown.candidates()
  return taintedRows({ task, test, trainings: seen, known, threshold, ngram })
}

function withoutTainted(sealed: readonly Example[], tainted: readonly Taint[], holdout: string): Example[] {
  const out = new Set(tainted.map(({ id }) => id))
  const test = sealed.filter(({ id }) => !out.has(id))
  if (test.length > 0) return test
  throw new ToolkitError(
    `the contenders were trained on every test row of ${holdout}, or on what is near it: nothing is left to compare them on`,
    {
      code: "all-tainted",
      hint: "Evaluate on the holdout that the run was trained beside (without --holdout), or train on a version of the new one.",
    },
  )
}

/**
 * A contender's answers beside the references, in the order of the examples; an answer that cannot be read as an output
 * of the task is undefined.
 */
export function scoredRows(
  task: TaskSpecification,
  examples: readonly Example[],
  answers: ContenderAnswers,
): ScoredRow[] {
  const byId = new Map(answers.predictions.map((prediction) => [prediction.id, prediction]))
  return examples.map((example) => {
    const prediction = byId.get(example.id)
    return {
      id: example.id,
      reference: example.output,
      output: prediction === undefined ? undefined : parseOutput(task, prediction.output),
    }
  })
}

/** The run's plan; the specification must still render the prompt that the run was trained with. */
export function requirePlan(context: StageContext, task: TaskSpecification, run: string): TrainingPlan {
  const plan = readPlan(runFiles(context.workspace, run))
  if (!plan)
    throw new ToolkitError(`there is no run ${run} in this workspace`, {
      code: "unknown-run",
      exitCode: 2,
      hint: "tuneloop runs ls lists them.",
    })
  if (promptVersion(task) !== plan.prompt)
    throw new ConfigError(
      `${run} was trained with another prompt`,
      [
        {
          file: context.workspace.show(context.workspace.specFile(task.task)),
          path: "prompt",
          message: `renders ${promptVersion(task)}; the run was trained with ${plan.prompt}`,
        },
      ],
      `Train again: tuneloop train ${plan.job} --wait`,
    )
  return plan
}

async function generate(
  context: StageContext,
  plan: TrainingPlan,
  job: JobSpecification,
  jobs: readonly GenerationJob[],
  folder: string,
  backend: FineTuneBackend,
): Promise<void> {
  const missing = jobs.filter(({ predictions }) => !existsSync(predictions))
  if (missing.length === 0) return
  if (!backend.generate)
    throw new ToolkitError(`the backend ${backend.name} cannot generate`, {
      code: "no-generation",
      hint: "Evaluate with a backend that can: set backend.name to local in the job.",
    })
  await backend.prepare?.(baseOf(plan))
  const { batchSize, latencyRows } = job.evaluation
  await backend.generate(
    {
      base: baseOf(plan),
      jobs: missing,
      batchSize,
      latencyRows,
      seed: plan.seed,
      folder: join(folder, "work"),
    },
    (name, done, total) => context.report.progress(`${name}: ${done} of ${total} answered`),
  )
}

function readPredictions(file: string): Prediction[] {
  readText(file, "predictions file")
  return [...readLines(file)].map(({ text }) => JSON.parse(text) as Prediction)
}

/**
 * The worked examples of the few-shot contender: gold examples of the training set, the same number a label, chosen by
 * digest; nothing held out.
 */
function chooseShots(task: TaskSpecification, job: JobSpecification, trainExamples: readonly Example[]): Example[] {
  const ordered = trainExamples
    .filter(({ provenance }) => provenance.acceptedBy === "gold")
    .sort((a, b) => (digest(a.id) < digest(b.id) ? -1 : 1))
  if (task.kind !== "label") return ordered.slice(0, job.evaluation.shots)
  const perLabel = labelsOf(task).map((label) =>
    ordered.filter(({ output }) => output === label).slice(0, job.evaluation.shotsPerLabel),
  )
  return perLabel.flat().sort((a, b) => (digest([a.id, "order"]) < digest([b.id, "order"]) ? -1 : 1))
}

/** The linear model trained on the same rows as the tuned one. */
function linearAnswers(
  context: StageContext,
  task: TaskSpecification,
  trainExamples: readonly Example[],
  test: readonly Example[],
): ContenderAnswers {
  const model = trainLinearModel(
    trainExamples.map((example) => ({ text: inputText(task, example.input), label: String(example.output) })),
  )
  const predictions = test.map((example) => {
    const text = inputText(task, example.input)
    const before = context.monotonicMs()
    const output = model.predict(text).label
    return {
      id: example.id,
      output,
      latencyMs: context.monotonicMs() - before,
      inputTokens: 0,
      outputTokens: 0,
      finish: "stop" as const,
    }
  })
  return { name: "linear", predictions }
}
