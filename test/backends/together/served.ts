/** A fine-tuning job as the server keeps it. */
export interface ServedTogetherJob {
  readonly id: string
  readonly model: string
  readonly suffix: string
  readonly training_file: string
  readonly validation_file: string | null
  readonly request: Readonly<Record<string, unknown>>
  readonly created_at: string
  updated_at: string
  status: string
  model_output_name: string | null
  /** Of the model registry, once the job has put its model there. */
  model_object_id?: string
  model_object_revision_id?: string
  /** In billionths of a dollar. */
  total_price: number | null
  token_count: number | null
  readonly events: ServedTogetherEvent[]
  readonly metrics: Record<string, number>[]
}

export interface ServedTogetherEvent {
  readonly object: "fine-tune-event"
  readonly created_at: string
  readonly type: string
  readonly level: string
  readonly message: string
  readonly step?: number
  readonly total_steps?: number
}

export function newJob(id: string, now: string, request: Readonly<Record<string, unknown>>): ServedTogetherJob {
  return {
    ...{ id, model: String(request["model"]), suffix: String(request["suffix"]), request },
    training_file: String(request["training_file"]),
    validation_file: (request["validation_file"] ?? null) as string | null,
    ...{ created_at: now, updated_at: now, status: "pending", model_output_name: null },
    ...{ total_price: null, token_count: null, events: [], metrics: [] },
  }
}

const batches = { min_batch_size: 8, max_batch_size: 32, max_batch_size_dpo: 16 }
const settings = ["n_epochs", "batch_size", "learning_rate", "lr_scheduler", "training_method", "training_type"]

/** A job by itself; in a list, and where it is created or cancelled, it comes without its events. */
export function shownJob(served: ServedTogetherJob): object {
  return { ...listedJob(served), events: served.events }
}

export function listedJob({ request, metrics: _metrics, events: _events, ...job }: ServedTogetherJob): object {
  return {
    ...job,
    ...Object.fromEntries(settings.flatMap((name) => (name in request ? [[name, request[name]]] : []))),
    ...(request["batch_size"] === "max" ? { batch_size: batches.max_batch_size } : {}),
    ...{ user_id: "u", adapter_output_name: null, a_field_nobody_knows: null },
  }
}

export function limitsOf(model: string): object {
  return {
    ...{ model_name: model, max_num_epochs: 20, max_num_evals: 100, max_num_checkpoints: 10 },
    ...{ max_seq_length_sft: 8192, max_seq_length_dpo: 4096, min_max_seq_length: 512 },
    ...{ min_learning_rate: 1e-8, max_learning_rate: 0.01, default_gradient_accumulation_steps: 1 },
    ...{ supports_tools: true, supports_vision: false, supports_reasoning: false, supports_full_training: true },
    ...{ merge_output_lora: true, full_training: batches },
    lora_training: { ...batches, max_rank: 64, default_rank: 16, target_modules: ["q_proj", "v_proj"] },
  }
}
