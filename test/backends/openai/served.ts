/** A fine-tuning job as the server keeps it. */
export interface ServedJob {
  readonly id: string
  readonly model: string
  readonly training_file: string
  readonly validation_file: string | null
  readonly metadata: Readonly<Record<string, string>>
  readonly suffix: string | null
  readonly seed: number
  readonly method: Method
  readonly created_at: number
  status: string
  finished_at: number | null
  fine_tuned_model: string | null
  trained_tokens: number | null
  /** Ids of files. */
  readonly result_files: string[]
  readonly checkpoints: ServedCheckpoint[]
  error: { code: string; message: string; param: string | null } | null
  /** Oldest first; they are listed newest first. */
  readonly events: ServedEvent[]
}

export interface ServedEvent {
  readonly id: string
  readonly created_at: number
  readonly type: string
  readonly level: "info" | "error"
  readonly message: string
  readonly data: unknown
}

export interface ServedCheckpoint {
  readonly id: string
  readonly step_number: number
  readonly fine_tuned_model_checkpoint: string
  readonly metrics: Readonly<Record<string, number>>
  readonly result_files?: readonly string[]
}

type Hyperparameters = Readonly<Record<string, unknown>>
type Method = { readonly type: string } & Readonly<Record<string, unknown>>

/** What a job is asked for with. */
export interface Creation {
  readonly model: string
  readonly training_file: string
  readonly validation_file?: string | null
  readonly metadata?: Record<string, string> | null
  readonly suffix?: string | null
  readonly seed?: number | null
  readonly method?: Method
  readonly hyperparameters?: Hyperparameters
}

const automatic = { n_epochs: "auto", batch_size: "auto", learning_rate_multiplier: "auto" }

/** A job that was just created; hyperparameters at the top of the request are those of supervised training. */
export function newJob(id: string, createdAt: number, asked: Creation): ServedJob {
  const supervised = { hyperparameters: { ...automatic, ...asked.hyperparameters } }
  return {
    ...{ id, model: asked.model, training_file: asked.training_file, validation_file: asked.validation_file ?? null },
    ...{ metadata: asked.metadata ?? {}, suffix: asked.suffix ?? null, seed: asked.seed ?? 1 },
    method: asked.method ?? { type: "supervised", supervised },
    ...{ created_at: createdAt, status: "validating_files", finished_at: null, fine_tuned_model: null },
    ...{ trained_tokens: null, result_files: [], checkpoints: [], error: null, events: [] },
  }
}

export function shownJob({ events: _events, checkpoints: _checkpoints, suffix: _suffix, ...job }: ServedJob): object {
  const ofMethod = job.method[job.method.type] as { readonly hyperparameters?: Hyperparameters } | undefined
  return {
    ...{ object: "fine_tuning.job", ...job, hyperparameters: ofMethod?.hyperparameters ?? automatic },
    ...{ organization_id: "org-test", integrations: [], estimated_finish: null, a_field_nobody_knows: null },
  }
}

/** An event that has no data has no such field. */
export function shownEvent({ data, ...event }: ServedEvent): object {
  return { object: "fine_tuning.job.event", ...event, ...(data === null ? {} : { data }) }
}

export function shownCheckpoint(checkpoint: ServedCheckpoint, job: ServedJob): object {
  const made = { created_at: job.created_at, fine_tuning_job_id: job.id }
  return { object: "fine_tuning.job.checkpoint", ...checkpoint, ...made }
}
