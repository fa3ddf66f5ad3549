import { openAsBlob } from "node:fs"
import { open, stat } from "node:fs/promises"
import { basename } from "node:path"
import { z } from "zod"
import { DataError, ProviderError } from "../../core/errors.ts"
import type { Profile } from "./profiles.ts"
import type { HostedWire } from "./wire.ts"

const jobSchema = z.looseObject({
  id: z.string(),
  status: z.string(),
  model: z.string().nullish(),
  training_file: z.string().nullish(),
  validation_file: z.string().nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  created_at: z.number(),
  method: z.looseObject({ type: z.string() }).nullish().catch({ type: "unknown" }),
  finished_at: z.number().nullish(),
  fine_tuned_model: z.string().nullish(),
  trained_tokens: z.number().nullish(),
  result_files: z.array(z.string()).nullish(),
  error: z.looseObject({ message: z.string().nullish(), code: z.string().nullish() }).nullish(),
})
/** A job as the wire has it; unknown fields and words stay. */
export type Job = z.output<typeof jobSchema>

const eventSchema = z.looseObject({
  id: z.string(),
  created_at: z.number(),
  type: z.string().nullish(),
  message: z.string().nullish(),
  data: z.unknown().optional(),
})
export type JobEvent = z.output<typeof eventSchema>

const checkpointSchema = z.looseObject({
  id: z.string(),
  step_number: z.number().nullish(),
  fine_tuned_model_checkpoint: z.string().nullish(),
  metrics: z.record(z.string(), z.unknown()).nullish(),
  result_files: z.array(z.string()).nullish(),
})
export type Checkpoint = z.output<typeof checkpointSchema>

const fileSchema = z.looseObject({
  id: z.string(),
  bytes: z.number().nullish(),
  filename: z.string().nullish(),
  purpose: z.string().nullish(),
  status: z.string().nullish(),
  status_details: z.string().nullish(),
  created_at: z.number().nullish(),
})
export type StoredFile = z.output<typeof fileSchema>

const modelSchema = z.looseObject({ id: z.string(), shutdown_date: z.iso.date().nullish().catch(null) })
export type ServedModel = z.output<typeof modelSchema>

export interface OpenAiJobsOptions {
  /** The backend's name, in what it reports. */
  readonly backend: string
  readonly profile: Profile
  /** Added to the request as it is. */
  readonly extra: Readonly<Record<string, unknown>>
  /** How long a new job may be missing from the list. */
  readonly settleMs: number
  readonly pollAfterMs: number
}

const overWords = ["succeeded", "failed", "cancelled"]
const partBytes = 64 * 1024 * 1024
const fileLookMs = 2000
const longestFileWaitMs = 1_800_000

/** The calls of OpenAI's files and fine-tuning jobs. */
export class OpenAiJobs {
  readonly wire: HostedWire
  readonly options: OpenAiJobsOptions

  constructor(wire: HostedWire, options: OpenAiJobsOptions) {
    this.wire = wire
    this.options = options
  }

  job(id: string): Promise<Job> {
    return this.wire.get(`/fine_tuning/jobs/${encodeURIComponent(id)}`, jobSchema)
  }

  /** Newest first. */
  jobs(): AsyncGenerator<Job> {
    return this.#list("/fine_tuning/jobs", jobSchema)
  }

  /** Newest first. */
  events(job: string): AsyncGenerator<JobEvent> {
    return this.#list(`/fine_tuning/jobs/${encodeURIComponent(job)}/events`, eventSchema)
  }

  /** By step. A service that has no such list has no checkpoints. */
  async checkpoints(job: string): Promise<Checkpoint[]> {
    const found: Checkpoint[] = []
    try {
      for await (const checkpoint of this.#list(
        `/fine_tuning/jobs/${encodeURIComponent(job)}/checkpoints`,
        checkpointSchema,
      ))
        found.push(checkpoint)
    } catch (error) {
      if (!(error instanceof ProviderError) || (error.status !== 404 && error.status !== 405)) throw error
    }
    return found.sort((a, b) => (a.step_number ?? 0) - (b.step_number ?? 0))
  }

  /** Once for each call; an error says whether a job may exist. */
  create(body: object, aboutToCreate: () => void): Promise<Job> {
    return this.wire.create("/fine_tuning/jobs", body, jobSchema, { aboutToCreate })
  }

  /** A job that stands still already refuses: that is as good. */
  async pause(id: string): Promise<void> {
    const answer = await this.wire.ask("POST", `/fine_tuning/jobs/${encodeURIComponent(id)}/pause`)
    if (answer.status >= 300 && (await this.job(id)).status !== "paused") throw this.wire.refused(answer)
  }

  /** A job that goes on already refuses: that is as good. */
  async resume(id: string): Promise<void> {
    const answer = await this.wire.ask("POST", `/fine_tuning/jobs/${encodeURIComponent(id)}/resume`)
    if (answer.status < 300) return
    const job = await this.job(id)
    if (job.status === "paused" || isOver(job)) throw this.wire.refused(answer)
  }

  /** A job that is over refuses to be cancelled: that is as good. */
  async cancel(id: string): Promise<void> {
    const answer = await this.wire.ask("POST", `/fine_tuning/jobs/${encodeURIComponent(id)}/cancel`)
    if (answer.status >= 300 && !isOver(await this.job(id))) throw this.wire.refused(answer)
  }

  /** Uploads the file, in parts where it is large; returns its id. A failed upload made no job. */
  async upload(path: string): Promise<StoredFile> {
    const { size } = await stat(path)
    const { mostFileBytes, uploadInPartsAbove } = this.options.profile
    if (mostFileBytes !== undefined && size > mostFileBytes)
      throw new ProviderError(`${basename(path)} has ${size} bytes; at most ${mostFileBytes} are taken`, {
        provider: this.wire.service.name,
        mayHaveCost: false,
        hint: "Train on a version with fewer rows.",
      })
    if (uploadInPartsAbove !== undefined && size > uploadInPartsAbove) return this.#uploadInParts(path, size)
    const body = new FormData()
    body.append("purpose", "fine-tune")
    body.append("file", new File([await openAsBlob(path)], basename(path)))
    return this.wire.repeatable("POST", "/files", fileSchema, body)
  }

  /** Resolves when the service has looked at the file. Throws where it refuses it, with its reason. */
  async whenReady(id: string): Promise<void> {
    for (let waited = 0; ; waited += fileLookMs) {
      const { status, status_details: reason } = await this.file(id)
      if (status === "error" || status === "failed")
        throw new ProviderError(`the file ${id} was refused: ${this.wire.safe(reason ?? "no reason given")}`, {
          provider: this.wire.service.name,
          mayHaveCost: false,
        })
      // Many services look at files only once a job asks for them, and say `uploaded` until then, or nothing.
      if (!["pending", "processing"].includes(status ?? "") || waited >= longestFileWaitMs) return
      await this.wire.sleep(fileLookMs)
      this.wire.throwIfAborted()
    }
  }

  file(id: string): Promise<StoredFile> {
    return this.wire.get(`/files/${encodeURIComponent(id)}`, fileSchema)
  }

  files(): AsyncGenerator<StoredFile> {
    return this.#list("/files", fileSchema)
  }

  /** Undefined for one that is not there. */
  async model(name: string): Promise<ServedModel | undefined> {
    try {
      return await this.wire.get(`/models/${encodeURIComponent(name)}`, modelSchema)
    } catch (error) {
      if (error instanceof ProviderError && error.status === 404) return undefined
      throw error
    }
  }

  /** A file that is gone already is as good. */
  deleteFile(id: string): Promise<void> {
    return this.wire.remove(`/files/${encodeURIComponent(id)}`)
  }

  download(file: StoredFile, path: string): Promise<void> {
    return this.wire.download(`/files/${encodeURIComponent(file.id)}/content`, path, file.bytes ?? undefined)
  }

  async #uploadInParts(path: string, size: number): Promise<StoredFile> {
    const begun = { filename: basename(path), purpose: "fine-tune", bytes: size, mime_type: "application/jsonl" }
    const { id } = await this.wire.repeatable("POST", "/uploads", z.looseObject({ id: z.string() }), begun)
    const parts: string[] = []
    const file = await open(path)
    try {
      for (let offset = 0; offset < size; ) {
        const { bytesRead, buffer } = await file.read({
          buffer: Buffer.alloc(Math.min(partBytes, size - offset)),
          position: offset,
        })
        if (bytesRead === 0)
          throw new DataError(`${path} became shorter while it was uploaded`, [], "Run the command again.")
        offset += bytesRead
        const body = new FormData()
        body.append("data", new Blob([buffer.subarray(0, bytesRead)]))
        const part = await this.wire.repeatable(
          "POST",
          `/uploads/${encodeURIComponent(id)}/parts`,
          z.looseObject({ id: z.string() }),
          body,
        )
        parts.push(part.id)
      }
    } finally {
      await file.close()
    }
    const complete = z.looseObject({ file: fileSchema })
    return (
      await this.wire.repeatable("POST", `/uploads/${encodeURIComponent(id)}/complete`, complete, { part_ids: parts })
    ).file
  }

  async *#list<Item extends { readonly id: string }>(path: string, schema: z.ZodType<Item>): AsyncGenerator<Item> {
    const page = z.looseObject({ data: z.array(schema), has_more: z.boolean().nullish() })
    let after = ""
    for (let number = 1; ; number++) {
      this.wire.requirePage(number)
      const { data, has_more } = await this.wire.get(
        `${path}?limit=${pageSize}${after && `&after=${encodeURIComponent(after)}`}`,
        page,
      )
      yield* data
      const last = data.at(-1)?.id
      // A server that does not know `after` answers with the same page again and again.
      if (!has_more || last === undefined || last === after) return
      after = last
    }
  }
}

const pageSize = 100

export function isOver({ status }: Job): boolean {
  return overWords.includes(status)
}

/** A number that is no time stands as it is: nobody takes it for one. */
export function timeOf(seconds: number): string {
  const at = new Date(seconds * 1000)
  return Number.isNaN(at.getTime()) ? String(seconds) : at.toISOString()
}

/** What an error body of this wire says. */
export function errorMessageOf(body: unknown): string | undefined {
  const error = z
    .looseObject({ error: z.looseObject({ message: z.string(), code: z.string().nullish() }) })
    .safeParse(body)
  if (!error.success) return undefined
  const { message, code } = error.data.error
  return code === "training_not_available"
    ? `${message} (training_not_available: the service takes no more jobs of this organization; ` +
        "docs/backends.md has those that are open)"
    : message
}
