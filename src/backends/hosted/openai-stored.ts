import type { StoredThing } from "../../core/contracts/backend.ts"
import { isOver, type OpenAiJobs, timeOf } from "./openai-jobs.ts"
import { keyLabel } from "./openai-submit.ts"

/** The files and the jobs that the service lists for this key. */
export async function* storedThings(jobs: OpenAiJobs): AsyncGenerator<StoredThing> {
  for await (const { id, filename, bytes, created_at: at, status, purpose } of jobs.files())
    yield {
      kind: "file",
      id,
      name: filename ?? undefined,
      bytes: bytes ?? undefined,
      createdAt: typeof at === "number" ? timeOf(at) : undefined,
      status: [purpose, status].filter(Boolean).join(", ") || undefined,
    }
  for await (const job of jobs.jobs()) {
    const key = job.metadata?.[keyLabel]
    yield {
      kind: "job",
      id: job.id,
      name: job.fine_tuned_model ?? job.model ?? undefined,
      createdAt: timeOf(job.created_at),
      status: job.status,
      isOpen: !isOver(job),
      submissionKey: typeof key === "string" ? key : undefined,
      files: [job.training_file, job.validation_file, ...(job.result_files ?? [])].filter(
        (id) => typeof id === "string",
      ),
    }
  }
}
