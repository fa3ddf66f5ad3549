import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import type { RunFiles, TrainingPlan, Upload } from "../../core/contracts/backend.ts"
import { DataError, ProviderError } from "../../core/errors.ts"
import { parseJson } from "../../core/json-text.ts"

const submissionSchema = z.object({
  submissionKey: z.string(),
  /** What lies at the provider for this submission, by the name of the file. */
  uploads: z.record(z.string(), z.object({ id: z.string(), bytes: z.number() })),
  /** What else was made there for it, by name: a model that the job trains. */
  made: z.record(z.string(), z.string()).optional(),
  /** When a job was last asked for, UTC; absent while none was. */
  creatingAt: z.string().optional(),
  /** The id of the job, where the service has no list to find it in. */
  job: z.string().optional(),
})
const notesSchema = submissionSchema.extend({ earlier: z.array(submissionSchema).default([]) })
/** What is known of a submission, in the run's folder: written before each step that a crash must not forget. */
type SubmissionNotes = z.output<typeof submissionSchema>

/** What was uploaded for the run in all its attempts. */
export function uploadsOf(files: RunFiles): Upload[] {
  return allNotes(files).flatMap(({ uploads }) =>
    Object.entries(uploads).map(([file, { id }]) => ({ file, remoteId: id })),
  )
}

/** The notes of all submissions of the run, the last one first. */
function allNotes(files: RunFiles): SubmissionNotes[] {
  const path = notesFile(files)
  if (!existsSync(path)) return []
  const notes = notesSchema.safeParse(parseJson(readFileSync(path, "utf8")))
  if (notes.success) {
    const { earlier, ...last } = notes.data
    return [last, ...earlier]
  }
  throw new DataError(
    `${path} does not say which job was asked for`,
    [],
    `Look at the provider for a job of this run, then: tuneloop runs resolve ${files.run} --created ID | --not-created`,
  )
}

function notesOf(files: RunFiles, submissionKey: string): SubmissionNotes | undefined {
  return allNotes(files).find((notes) => notes.submissionKey === submissionKey)
}

/** Durable when this returns: whole, or as it was before. Those of other submissions stay. */
function writeNotes(files: RunFiles, notes: SubmissionNotes): void {
  const path = notesFile(files)
  const earlier = allNotes(files).filter(({ submissionKey }) => submissionKey !== notes.submissionKey)
  const file = openSync(`${path}.tmp`, "w")
  try {
    writeSync(file, `${JSON.stringify(earlier.length === 0 ? notes : { ...notes, earlier }, null, 2)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(`${path}.tmp`, path)
}

/** A submission on its way: what it has done already is not done again. */
export class Submission {
  readonly #files: RunFiles
  #notes: SubmissionNotes

  constructor(files: RunFiles, submissionKey: string) {
    this.#files = files
    this.#notes = notesOf(files, submissionKey) ?? { submissionKey, uploads: {} }
  }

  /**
   * The ids of the run's files at the service, ready to be trained on; validation only where there are rows. Each is
   * uploaded once for a key, and again only where the service refused it.
   */
  async uploaded(
    plan: TrainingPlan,
    store: UploadStore,
  ): Promise<{ readonly training_file: string; readonly validation_file?: string }> {
    const hasValidation = plan.files.validation.rows > 0
    const training_file = await this.#idOf("train.jsonl", this.#files.train, store)
    const validation_file = hasValidation
      ? await this.#idOf("validation.jsonl", this.#files.validation, store)
      : undefined
    // All are looked at, so that one that is refused does not hide the next.
    const looks = [
      this.#whenReady("train.jsonl", training_file, store),
      ...(validation_file === undefined ? [] : [this.#whenReady("validation.jsonl", validation_file, store)]),
    ]
    await Promise.allSettled(looks)
    await Promise.all(looks)
    return { training_file, ...(validation_file === undefined ? {} : { validation_file }) }
  }

  /** What the job needs beside its files, made once for a key. */
  async made(make: () => Promise<Readonly<Record<string, string>>>): Promise<Readonly<Record<string, string>>> {
    if (this.#notes.made === undefined) this.#note({ made: await make() })
    return this.#notes.made ?? {}
  }

  /** The job can be found from here on, although the service lists none. */
  created(job: string): void {
    this.#note({ job })
  }

  /**
   * What the work puts at a place of this key alone is there. The place is noted first, so that a purge finds it
   * whatever happens; what was put there once is not put there again.
   */
  async place(name: string, id: string, work: () => Promise<void>): Promise<void> {
    const there = this.#notes.uploads[name]
    if (there !== undefined && there.bytes > 0) return
    this.#note({ uploads: { ...this.#notes.uploads, [name]: { id, bytes: 0 } } })
    await work()
    this.#note({ uploads: { ...this.#notes.uploads, [name]: { id, bytes: 1 } } })
  }

  /** Durable before a job is asked for. */
  aboutToCreate(now: Date): void {
    this.#note({ creatingAt: now.toISOString() })
  }

  async #idOf(name: string, path: string, store: UploadStore): Promise<string> {
    const there = this.#notes.uploads[name]
    if (there !== undefined) return there.id
    const { id, bytes } = await store.upload(path)
    this.#note({ uploads: { ...this.#notes.uploads, [name]: { id, bytes: bytes ?? 0 } } })
    return id
  }

  async #whenReady(name: string, id: string, store: UploadStore): Promise<void> {
    try {
      await store.whenReady(id)
    } catch (error) {
      if (error instanceof ProviderError && !error.isRetryable) {
        const { [name]: _refused, ...uploads } = this.#notes.uploads
        this.#note({ uploads })
      }
      throw error
    }
  }

  #note(change: Partial<SubmissionNotes>): void {
    this.#notes = { ...this.#notes, ...change }
    writeNotes(this.#files, this.#notes)
  }
}

/** Where files go at a service. */
export interface UploadStore {
  readonly upload: (path: string) => Promise<{ readonly id: string; readonly bytes?: number | null | undefined }>
  /** Resolves when the service has looked at the file; throws where it refuses it. */
  readonly whenReady: (id: string) => Promise<void>
}

/**
 * What a search for the job of a key may go by; undefined where nothing was asked for under it. `requireSettled` throws
 * while a job that was just created may still be missing from the service's list.
 */
export function searchOf(files: RunFiles, submissionKey: string): Search | undefined {
  const notes = notesOf(files, submissionKey)
  if (notes?.creatingAt === undefined) return undefined
  const { creatingAt, made = {}, job } = notes
  return {
    trainingFile: notes.uploads["train.jsonl"]?.id,
    made,
    job,
    requireSettled({ provider, settleMs, now, keepsKey = true }) {
      const youngMs = Math.abs(now.getTime() - Date.parse(creatingAt))
      if (youngMs >= settleMs && keepsKey) return
      if (youngMs >= settleMs)
        throw new ProviderError(
          "the service lists no job of the file that was uploaded, and keeps no key by which it could say that " +
            "there is none",
          {
            provider,
            hint: "Look at the service. No second job is asked for before a person says what there is.",
          },
        )
      throw new ProviderError("the job is not in the service's list, which may lag behind", {
        provider,
        retryAfterMs: settleMs - youngMs,
        isRetryable: true,
        hint: `Ask again in ${Math.ceil((settleMs - youngMs) / 1000)} s.`,
      })
    },
  }
}

/** By what the job of a submission is found. */
interface Search {
  readonly trainingFile: string | undefined
  readonly made: Readonly<Record<string, string>>
  readonly job: string | undefined
  requireSettled(where: SettlingService): void
}

interface SettlingService {
  readonly provider: string
  /** How long a new job may be missing from the list. */
  readonly settleMs: number
  readonly now: Date
  /**
   * Whether the service keeps the key of a submission; true where absent. Where it does not, a list without the job is
   * no proof, and nothing is asked for again without a person's word.
   */
  readonly keepsKey?: boolean
}

function notesFile(files: RunFiles): string {
  return join(files.folder, "submission.json")
}
