import { openAsBlob } from "node:fs"
import { basename } from "node:path"
import { z } from "zod"
import { ProviderError } from "../../core/errors.ts"
import type { HostedWire } from "./wire.ts"

const text = z.string().nullish()
const number = z.number().nullish()

const jobSchema = z.looseObject({
  id: z.string(),
  status: z.string(),
  model: text,
  suffix: text,
  training_file: text,
  validation_file: text,
  training_method: z.looseObject({ method: text }).nullish().catch(undefined),
  model_output_name: text,
  /** What the model registry has of what the job made; absent where nothing was put there. */
  model_object_id: text,
  model_object_revision_id: text,
  created_at: text,
  started_at: text,
  updated_at: text,
  token_count: number,
  /** In billionths of a dollar. */
  total_price: number,
})
/** A job as the wire has it; unknown fields and words stay. */
export type TogetherJob = z.output<typeof jobSchema>

// The types of the service's own client have these words in small letters and in capitals.
const word = text.transform((value) => value?.toLowerCase())

const eventSchema = z.looseObject({
  created_at: z.string(),
  type: word,
  level: word,
  message: text,
  step: number,
  total_steps: number,
})
export type TogetherEvent = z.output<typeof eventSchema>

const fileSchema = z.looseObject({
  id: z.string(),
  bytes: number,
  filename: text,
  Processed: z.boolean().nullish(),
  processing_status: text,
  validation_report: z.looseObject({ error: z.unknown().optional() }).nullish(),
})

type StoredFile = z.output<typeof fileSchema>

const limitsSchema = z.looseObject({
  max_num_epochs: number,
  max_num_checkpoints: number,
  max_seq_length_sft: number,
  max_seq_length_dpo: number,
  lora_training: z
    .looseObject({
      max_rank: number,
      min_batch_size: number,
      max_batch_size: number,
      max_batch_size_dpo: number,
      target_modules: z.array(z.string()).nullish(),
    })
    .nullish(),
})
export type ModelLimits = z.output<typeof limitsSchema>

const estimateSchema = z.looseObject({
  estimation_available: z.boolean(),
  estimated_total_price: number,
  estimated_train_token_count: number,
  allowed_to_proceed: z.boolean().nullish(),
  user_limit: number,
  unavailable_reason: text,
})
export type PriceEstimate = z.output<typeof estimateSchema>

const fileLookMs = 2000
const longestFileWaitMs = 1_800_000

/** The calls of Together's files and fine-tuning jobs; there are no pages. */
export class TogetherJobs {
  readonly wire: HostedWire

  constructor(wire: HostedWire) {
    this.wire = wire
  }

  job(id: string): Promise<TogetherJob> {
    return this.wire.get(`/fine-tunes/${encodeURIComponent(id)}`, jobSchema)
  }

  async jobs(): Promise<TogetherJob[]> {
    return (await this.wire.get("/fine-tunes", z.looseObject({ data: z.array(jobSchema) }))).data
  }

  /** Oldest first, whatever their order on the wire. */
  async events(id: string): Promise<TogetherEvent[]> {
    const path = `/fine-tunes/${encodeURIComponent(id)}/events`
    const { data } = await this.wire.get(path, z.looseObject({ data: z.array(eventSchema) }))
    return data.toSorted((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at))
  }

  /** The metrics that were logged from the step on, in order; keys are the service's own. */
  async metrics(id: string, fromStep: number): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const path = `/fine-tunes/${encodeURIComponent(id)}/metrics?global_step_from=${fromStep}`
    const schema = z.looseObject({ metrics: z.array(z.record(z.string(), z.unknown())).nullish() })
    return (await this.wire.get(path, schema)).metrics ?? []
  }

  /** Once for each call; an error says whether a job may exist. */
  create(body: object, aboutToCreate: () => void): Promise<TogetherJob> {
    return this.wire.create("/fine-tunes", body, jobSchema, { aboutToCreate })
  }

  /** A job that is over refuses to be cancelled: that is as good. */
  async cancel(id: string): Promise<void> {
    const answer = await this.wire.ask("POST", `/fine-tunes/${encodeURIComponent(id)}/cancel`)
    if (answer.status >= 300 && !isOver(await this.job(id))) throw this.wire.refused(answer)
  }

  /** Uploads the file; a failed upload made no job. */
  async upload(path: string): Promise<{ readonly id: string; readonly bytes?: number | null | undefined }> {
    const body = new FormData()
    const fields = { purpose: "fine-tune", file_name: basename(path), file_type: "jsonl" }
    for (const [field, value] of Object.entries(fields)) body.append(field, value)
    body.append("file", new File([await openAsBlob(path)], basename(path)))
    return this.wire.repeatable("POST", "/files/upload", fileSchema, body)
  }

  /** Resolves when the service has looked at the file, before which no job may name it. Throws where it refuses. */
  async whenReady(id: string): Promise<void> {
    for (let waited = 0; waited < longestFileWaitMs; waited += fileLookMs) {
      const file = await this.wire.get(`/files/${encodeURIComponent(id)}`, fileSchema)
      const status = file.processing_status ?? (file.Processed === false ? "PENDING" : "COMPLETED")
      if (status === "COMPLETED") return
      if (status === "FAILED" || status === "INVALID_FORMAT")
        throw this.#fileError(id, this.wire.safe(JSON.stringify(file.validation_report?.error ?? status)))
      await this.wire.sleep(fileLookMs)
      this.wire.throwIfAborted()
    }
    throw this.#fileError(id, `not looked at within ${longestFileWaitMs / 60_000} minutes`)
  }

  async files(): Promise<StoredFile[]> {
    return (await this.wire.get("/files", z.looseObject({ data: z.array(fileSchema) }))).data
  }

  downloadFile(id: string, file: string): Promise<void> {
    return this.wire.download(`/files/${encodeURIComponent(id)}/content`, file)
  }

  async bytesOf(id: string): Promise<number | null | undefined> {
    return (await this.wire.get(`/files/${encodeURIComponent(id)}`, fileSchema)).bytes
  }

  /** A file that is gone already is as good. */
  deleteFile(id: string): Promise<void> {
    return this.wire.remove(`/files/${encodeURIComponent(id)}`)
  }

  /** Undefined for a model that cannot be tuned. */
  async limits(model: string): Promise<ModelLimits | undefined> {
    try {
      return await this.wire.get(`/fine-tunes/models/limits?model_name=${encodeURIComponent(model)}`, limitsSchema)
    } catch (error) {
      if (error instanceof ProviderError && (error.status === 404 || error.status === 400)) return undefined
      throw error
    }
  }

  estimate(body: object): Promise<PriceEstimate> {
    return this.wire.repeatable("POST", "/fine-tunes/estimate-price", estimateSchema, body)
  }

  /** Of the last checkpoint where no step is named. */
  downloadAdapter(id: string, file: string, step?: number): Promise<void> {
    const query = new URLSearchParams({
      ft_id: id,
      checkpoint: "adapter",
      ...(step === undefined ? {} : { checkpoint_step: String(step) }),
    })
    return this.wire.download(`/finetune/download?${query}`, file)
  }

  #fileError(id: string, reason: string): ProviderError {
    return new ProviderError(`the file ${id} was refused: ${reason}`, {
      provider: this.wire.service.name,
      mayHaveCost: false,
    })
  }
}

export function isOver({ status }: TogetherJob): boolean {
  return ["completed", "error", "user_error", "cancelled"].includes(status)
}

/** What an error body of this wire says. */
export function togetherMessageOf(body: unknown): string | undefined {
  const nested = z.looseObject({ error: z.looseObject({ message: z.string() }) }).safeParse(body)
  if (nested.success) return nested.data.error.message
  return z.looseObject({ message: z.string() }).safeParse(body).data?.message
}
