import type { z } from "zod"
import type { DatasetId, HoldoutId } from "../rows/frozen-ids.ts"
import type { JobSpecification } from "../training/job.ts"
import type { BaseModel, ModelRef } from "../training/model-ref.ts"
import type { CheckpointChoice } from "../training/checkpoints.ts"
import type { RemoteJob, RunState, SavedCheckpoint, SentEvent } from "../training/run.ts"
import type { Deployer } from "./deployment.ts"
import type { RenderedPreference, RenderedRow } from "./format.ts"

/**
 * A job with every default resolved, the exact bytes by digest: what a run executes. Its digest names it; clocks and
 * machines stay out.
 */
export interface TrainingPlan {
  readonly schemaVersion: 1
  readonly job: string
  readonly task: string
  readonly dataset: DatasetId
  readonly holdout: HoldoutId
  readonly prompt: string
  readonly baseModel: string
  readonly revision: string | null
  readonly backend: { readonly name: string; readonly options: Readonly<Record<string, unknown>> }
  readonly objective: JobSpecification["objective"]
  readonly method: JobSpecification["method"]
  readonly hyperparameters: JobSpecification["hyperparameters"]
  /** Which checkpoint is the model; the last one where absent. */
  readonly checkpoint?: CheckpointChoice
  readonly seed: number
  readonly files: { readonly train: RenderedFile; readonly validation: RenderedFile }
}

export interface RenderedFile {
  readonly rows: number
  readonly bytes: number
  readonly digest: string
}

/** The folder of a run and what lies in it; all paths absolute. */
export interface RunFiles {
  readonly run: string
  readonly folder: string
  readonly train: string
  readonly validation: string
  readonly adapter: string
  readonly checkpoints: string
}

/** One line of what `doctor` and a preflight say. A `warning` is no fault yet. */
export interface Check {
  readonly name: string
  readonly status: "ok" | "missing" | "warning" | "failed"
  readonly detail: string
  readonly hint?: string | undefined
}

/** What a plan will take; each figure says where it comes from. */
export interface Estimate {
  readonly figures: readonly {
    readonly name: string
    readonly value: number
    readonly unit: string
    readonly source: "measured" | "provider" | "rule of thumb"
    /** What the figure rests on: a price and its date. */
    readonly detail?: string
  }[]
}

/** A row of the training file before it is written as its backend takes it. */
export interface TrainingRow extends RenderedRow {
  /** What the row counts for in training; absent for 1. */
  readonly weight?: number
}

/** What is allowed of a row beyond its form. */
export interface RowLimits {
  /** Longer rows would be cut. */
  readonly mostTokens?: number | undefined
}

/**
 * How a service takes rows of one kind. Pure and strict: what it would refuse or cut is a fault before anything is
 * sent.
 */
export interface RowForm<Row extends { readonly id: string }> {
  /** Why the service would not train on the row as it is; empty where it would. */
  faults(row: Row, limits?: RowLimits): readonly string[]
  /** The row as it is sent. */
  row(row: Row): Readonly<Record<string, unknown>>
}

/** How a service takes the rows of a training file. */
export interface RowDialect extends RowForm<TrainingRow> {
  /** The fewest rows that a training file may have. */
  readonly fewestRows: number
  /** How it takes preferences; absent where it trains on none. */
  readonly preferences?: RowForm<RenderedPreference>
}

/**
 * What a backend knows of a job now: `cursor` goes into the next poll; `events` are those since the last one, in order.
 */
export interface JobSnapshot {
  readonly state: RunState
  /** The provider's own word, kept raw. One that is not known never ends a run. */
  readonly providerStatus?: string | undefined
  readonly message?: string | undefined
  readonly hint?: string | undefined
  /** When the job came into this state, UTC by the sender's clock. */
  readonly since?: string | undefined
  readonly events: readonly SentEvent[]
  readonly cursor: string
  /** How long to wait until the next poll; the caller's own pace where absent. */
  readonly pollAfterMs?: number | undefined
}

/** A part of a job's log; `cursor` goes into the next call. */
export interface LogPage {
  readonly text: string
  readonly cursor: string
}

/** A file or folder that was brought from where it was made; `path` is absolute. */
export interface Artifact {
  readonly path: string
  readonly digest: string
  readonly bytes: number
}

/** A file of a run that was uploaded, by the run's own notes. */
export interface Upload {
  readonly file: string
  readonly remoteId: string
}

/** A file or a job at a service, of this workspace or of anybody with the same key. */
export interface StoredThing {
  readonly kind: "file" | "job"
  readonly id: string
  readonly name?: string | undefined
  readonly bytes?: number | undefined
  /** UTC by the service's clock. */
  readonly createdAt?: string | undefined
  readonly status?: string | undefined
  /** Of a job: whether it may still need its files. */
  readonly isOpen?: boolean
  /** Of a job: the key of its submission, where the service keeps it. */
  readonly submissionKey?: string | undefined
  /** Of a job: the ids of the files that it was given. */
  readonly files?: readonly string[]
}

/** One model's rows for batch generation, and where its answers go. */
export interface GenerationJob {
  readonly name: string
  readonly model: ModelRef
  readonly rows: string
  readonly predictions: string
  readonly maxNewTokens: number
  /** Whether some rows are answered one at a time to measure latency. */
  readonly latency: boolean
}

/** Rows for several models over one base. */
export interface GenerationRequest {
  readonly base: BaseModel
  readonly jobs: readonly GenerationJob[]
  readonly batchSize: number
  readonly latencyRows: number
  readonly seed: number
  /** A folder for the request, its log and its events: the same folder is the same work. */
  readonly folder: string
}

/** What a service asks for training on a model. */
export interface TrainingPrice {
  /** The base model's name at the service; `*` stands for any text. */
  readonly match: string
  readonly host?: string | undefined
  readonly usdPerMillionTokens: number
  readonly asOf: string
  readonly source: string
}

/** What a service asks for serving a tuned model, asked or idle. */
export interface ServingPrice {
  /** The backend, or its profile, that serves it. */
  readonly service: string
  readonly usdPerHour: number
  /** On which machine; absent where the service names none. */
  readonly hardware?: string | undefined
  readonly asOf: string
  readonly source: string
}

/** Where a model answers chat completions, and the variable with the key for it. */
export interface ChatPlace {
  readonly baseUrl: string
  readonly model: string
  readonly apiKeyEnv?: string | undefined
  /** The header that carries the key; `authorization: Bearer` where absent. */
  readonly keyHeader?: string | undefined
}

/** A job at a service, whoever created it. */
export interface ServiceJob {
  readonly id: string
  readonly createdAt: string | undefined
  readonly baseModel: string | undefined
  /** What it was trained for; undefined where the service does not say. */
  readonly objective: JobSpecification["objective"] | undefined
  /** The service's own files of its rows, by their ids there. */
  readonly files: { readonly train: string | undefined; readonly validation: string | undefined }
  /** The job as the service has it, kept raw. */
  readonly said: Readonly<Record<string, unknown>>
}

/**
 * What a backend is given by the command line: no backend reads the environment, the clock or the network on its own.
 */
export interface BackendContext {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The folder that holds this package's `trainer/`. */
  readonly packageRoot: string
  /** A folder for what may be lost: digests of files that take long to read. Nothing is remembered where absent. */
  readonly cacheFolder?: string
  /** The hosts that data may be sent to. */
  readonly allowedHosts: readonly string[]
  /** What services ask for training, those of the workspace first; none are known where absent. */
  readonly trainingPrices?: readonly TrainingPrice[]
  /** What services ask for serving, those of the workspace first; none are known where absent. */
  readonly servingPrices?: readonly ServingPrice[]
  readonly fetch: typeof fetch
  readonly now: () => Date
  readonly sleep: (milliseconds: number) => Promise<void>
  readonly signal: AbortSignal
  /** One line of progress for a person. */
  readonly progress: (message: string) => void
}

/**
 * A way to train. See docs: adding one is one file in backends/, whose name is its id and whose default export is a
 * `BackendModule`.
 */
export interface FineTuneBackend extends Partial<Deployer> {
  readonly name: string
  readonly kind: "hosted" | "runner"
  /** The last day on which it takes jobs. */
  readonly sunset?: string
  /** The host of a service, by which facts about its models are found. */
  readonly host?: string
  /** The address of a service, to which rows go. */
  readonly baseUrl?: string
  /** What to know of it before a job: what serving costs while idle, whether the weights can be taken home. */
  readonly notes?: readonly string[]
  /** How rows are sent; the trainer's own form where absent. */
  readonly rows?: RowDialect
  capabilities(): Capabilities
  /** Free and without side effects: for `doctor` and before a submit. */
  check(): Promise<readonly Check[]>
  estimate(plan: TrainingPlan): Promise<Estimate>
  /**
   * What the service itself says against the plan now, asked without cost: a model that cannot be tuned, a setting
   * beyond its limits. Empty where nothing does. A service is asked; a catalogue is never trusted.
   */
  refusals?(plan: TrainingPlan): Promise<readonly string[]>
  /**
   * What the base model is now: a hub's commit, the digest of a file or folder, a provider's snapshot; undefined where
   * that cannot be known yet. Starts no process and sends nothing.
   */
  pin?(base: BaseModel): Promise<string | undefined>
  /** Makes ready what a submit needs and costs nothing (a trainer environment), with progress. */
  prepare?(base: BaseModel): Promise<void>
  /**
   * Starts the job once for the key: a second call with the same key returns the same job. Throws a JobMayExistError
   * where it is not known whether a job was created; any other known failure says that none was.
   */
  submit(plan: TrainingPlan, files: RunFiles, options: SubmitOptions): Promise<RemoteJob>
  /**
   * The job that a submit with this key created; undefined where it is certain that there is none. Reconciles after a
   * crash and never submits. Throws where it cannot know.
   */
  find(submissionKey: string, files: RunFiles): Promise<RemoteJob | undefined>
  /**
   * The job of this id, named by a person, as that of the submission: it exists, and its model and training file are
   * those of the plan. Throws where it is another one.
   */
  confirm?(id: string, plan: TrainingPlan, files: RunFiles, submissionKey: string): Promise<RemoteJob>
  /** Returns at once. */
  poll(job: RemoteJob, files: RunFiles, cursor?: string): Promise<JobSnapshot>
  /** The log from the cursor on; returns at once. A run without a job may have one too: of a start that failed. */
  logs?(job: RemoteJob | undefined, files: RunFiles, cursor?: string): Promise<LogPage>
  /** Idempotent. */
  cancel(job: RemoteJob, files: RunFiles): Promise<void>
  /** The job stands still until it is resumed, and keeps what it has. Idempotent, as its counterpart is. */
  pause?(job: RemoteJob, files: RunFiles): Promise<void>
  resume?(job: RemoteJob, files: RunFiles): Promise<void>
  /**
   * What a job made is in the run's folder, each part verified by what the maker states of it; a second call brings
   * nothing again. Returns what is there. A backend that brings one checkpoint alone brings this one, by default the
   * last.
   */
  fetch?(job: RemoteJob, files: RunFiles, checkpoint?: SavedCheckpoint): Promise<readonly Artifact[]>
  /** The jobs at the service, or the one of this id, newest first. */
  history?(id?: string): AsyncIterable<ServiceJob>
  /**
   * Brings the rows of a job into the run's folder as `train` and `validation`, where the service still has them: what
   * it has deleted is not among those that are returned.
   */
  fetchRows?(job: ServiceJob, files: RunFiles): Promise<readonly Artifact[]>
  /** What was uploaded for the run, in all its attempts; sends nothing. */
  uploads?(files: RunFiles): Promise<readonly Upload[]>
  /** All files and jobs that lie there, newest first of each kind. */
  stored?(): AsyncIterable<StoredThing>
  /** Deletes an uploaded file there. One that is gone already is as good. */
  purge?(remoteId: string): Promise<void>
  /**
   * The tokens of each row by the base model's own tokenizer, without a network and without installing anything;
   * `missing` says what would be needed.
   */
  countTokens?(base: BaseModel, rows: Iterable<string>): Promise<TokenCounts | { readonly missing: string }>
  /**
   * Batch generation where the weights are: predictions are written to each job's file, whole or not at all; a job
   * whose file is complete is not asked again. The work outlives the caller: after a crash or an interrupt the same
   * call with the same folder goes on with it.
   */
  generate?(request: GenerationRequest, onProgress: (name: string, done: number, total: number) => void): Promise<void>
  /** Where a model that the service serves can be asked; undefined for one that it does not. Sends nothing. */
  chat?(model: ModelRef): ChatPlace | undefined
  /** The log of the generation that is at work in the folder, whoever began it; undefined where none is. */
  generating?(folder: string): Promise<string | undefined>
  /** No generation is at work in the folder; false where none was. What was answered stays. */
  stopGeneration?(folder: string): Promise<boolean>
}

export interface SubmitOptions {
  readonly submissionKey: string
  readonly resume: boolean
  /**
   * Called before a job is created with what the service says that it will cost, where it says so. Throws where that
   * may not be spent: then none is created.
   */
  readonly priced?: ((usd: number) => Promise<void>) | undefined
}

/** Tokens by row id, and why a row does not render. */
export interface TokenCounts {
  readonly counts: Readonly<Record<string, number>>
  readonly failed: Readonly<Record<string, string>>
}

export interface Capabilities {
  readonly objectives: readonly string[]
  readonly methods: readonly string[]
  /** The settings of a job that it follows, by their keys in `method` and `hyperparameters`; all where absent. */
  readonly settings?: readonly string[]
  /** Whether the checkpoint with the lowest validation loss can be had in the place of the last. */
  readonly choosesCheckpoint?: boolean
  readonly asOf: string
  readonly source: string
}

/** The default export of a file in backends/. */
export interface BackendModule<Options = unknown> {
  readonly summary: string
  readonly kind: "hosted" | "runner"
  /** What a job file says beside its name and task, for the docs: each title is a place that it trains at. */
  readonly examples: Readonly<
    Record<string, { readonly baseModel: string; readonly options?: Readonly<Record<string, unknown>> }>
  >
  /** Environment variables it reads, for `doctor` and the docs; secrets are reported as set or missing only. */
  readonly environment: readonly { readonly name: string; readonly purpose: string; readonly secret?: boolean }[]
  /** The options of a job's `backend.options`: strict, with a description on each key. */
  readonly options: z.ZodType<Options>
  /** The options with what one of them, such as a profile, brings for others; absent where none does. */
  resolved?(context: Pick<BackendContext, "packageRoot">, options: Options): Options
  create(context: BackendContext, options: Options): FineTuneBackend
}

/** A line of `predictions/<contender>.jsonl`. */
export interface Prediction {
  readonly id: string
  readonly output: string
  /** What the model thought before, where its server parts it from the output. */
  readonly thought?: string | undefined
  /** What kept it from saying anything; absent where the output is what it said, an empty one too. */
  readonly silence?: string | undefined
  readonly latencyMs: number | null
  readonly inputTokens: number
  readonly outputTokens: number
  readonly finish: "stop" | "length"
}
