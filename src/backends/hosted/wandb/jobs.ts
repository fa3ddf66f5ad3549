import { z } from "zod"
import { ProviderError } from "../../../core/errors.ts"
import type { HostedWire } from "../wire.ts"

const text = z.string().nullish()

/** Only the id is documented; the others were seen in answers, and count where they are there. */
const jobSchema = z.looseObject({
  id: z.string(),
  status: text,
  model_id: text,
  training_end: text,
  error_message: text,
})
/** A training job as the wire has it; unknown fields and words stay. */
export type WandbJob = z.output<typeof jobSchema>

const eventSchema = z.looseObject({
  id: z.string(),
  type: z.string(),
  data: z.record(z.string(), z.unknown()).catch({}),
})
export type WandbEvent = z.output<typeof eventSchema>

const checkpointSchema = z.looseObject({
  id: z.string(),
  step: z.int(),
  metrics: z.record(z.string(), z.unknown()).catch({}),
})
export type WandbCheckpoint = z.output<typeof checkpointSchema>

const modelSchema = z.looseObject({
  id: z.string(),
  entity: z.string(),
  project: z.string(),
  name: z.string(),
  base_model: text,
  run_id: text,
})
export type WandbModel = z.output<typeof modelSchema>

const pageSize = 100

/** The calls of W&B's Serverless Training API (docs.wandb.ai/serverless-training/api-reference, 2026-11-30). */
export class WandbJobs {
  readonly wire: HostedWire

  constructor(wire: HostedWire) {
    this.wire = wire
  }

  /** The models that can be trained. */
  baseModels(): Promise<string[]> {
    return this.wire.get("/preview/base-models", z.array(z.string()))
  }

  /** The model of this name in the project, made where it was not there yet; nothing trains by that. */
  model(wanted: {
    readonly entity: string | undefined
    readonly project: string
    readonly name: string
    readonly base_model: string
  }): Promise<WandbModel> {
    return this.wire.repeatable("POST", "/preview/models", modelSchema, { ...wanted, return_existing: true })
  }

  job(id: string): Promise<WandbJob> {
    return this.wire.get(`/preview/training-jobs/${encodeURIComponent(id)}`, jobSchema)
  }

  /** Once for each call; an error says whether a job may exist. */
  create(body: object, aboutToCreate: () => void): Promise<WandbJob> {
    return this.wire.create("/preview/sft-training-jobs", body, jobSchema, { aboutToCreate })
  }

  /** Those after the one with this id, oldest first. */
  events(job: string, after: string | undefined): Promise<WandbEvent[]> {
    return this.#all(`/preview/training-jobs/${encodeURIComponent(job)}/events`, eventSchema, after)
  }

  /** By their steps. Step 0 is the model before it was trained. */
  async checkpoints(model: string): Promise<WandbCheckpoint[]> {
    const all = await this.#all(`/preview/models/${encodeURIComponent(model)}/checkpoints`, checkpointSchema)
    return all.toSorted((a, b) => a.step - b.step)
  }

  async #all<Item extends { readonly id: string }>(
    path: string,
    schema: z.ZodType<Item>,
    from?: string,
  ): Promise<Item[]> {
    const page = z.looseObject({ data: z.array(schema), has_more: z.boolean() })
    const items: Item[] = []
    let after = from
    for (let number = 1; ; number++) {
      this.wire.requirePage(number)
      const query = new URLSearchParams({ limit: String(pageSize), ...(after === undefined ? {} : { after }) })
      const { data, has_more: hasMore } = await this.wire.get(`${path}?${query}`, page)
      items.push(...data)
      const last = data.at(-1)?.id
      if (!hasMore || last === undefined || last === after) return items
      after = last
    }
  }
}

/** The job of the id; undefined where there is none, also for text that is no id at all. */
export async function jobOf(jobs: WandbJobs, id: string): Promise<WandbJob | undefined> {
  try {
    return await jobs.job(id)
  } catch (error) {
    if (error instanceof ProviderError && [400, 404, 422].includes(error.status ?? 0)) return undefined
    throw error
  }
}

/** What an error body of this wire says: a text, or the faults of a request by their places. */
export function wandbMessageOf(body: unknown): string | undefined {
  const said = z.looseObject({ detail: z.string() }).safeParse(body)
  if (said.success) return said.data.detail
  const fault = z.looseObject({ loc: z.array(z.unknown()), msg: z.string() })
  const faults = z.looseObject({ detail: z.array(fault) }).safeParse(body)
  if (faults.success) return faults.data.detail.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join("; ")
  const nested = z.looseObject({ error: z.looseObject({ message: z.string() }) }).safeParse(body)
  return nested.success ? nested.data.error.message : undefined
}
