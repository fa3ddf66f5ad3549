import type { StoredThing } from "../../../core/contracts/backend.ts"
import { isOver } from "./poll.ts"
import { type JobPlace, submissionOf } from "./submit.ts"

/** The repositories that were made for submissions, and the jobs of these, newest first of each kind. */
export async function* storedThings({ hub, repository: start }: JobPlace): AsyncGenerator<StoredThing> {
  const repositories = await hub.repositories(`${start}-`)
  const newestFirst = repositories.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
  for (const { name, createdAt } of newestFirst) yield { kind: "file", id: name, name, createdAt }
  const owner = await hub.namespace()
  for await (const job of hub.jobs()) {
    const { submissionKey, mark } = submissionOf(job)
    if (mark === undefined) continue
    const stage = job.status?.stage ?? "unknown"
    const label = job.labels?.["name"]
    yield {
      ...{ kind: "job", id: job.id, createdAt: job.createdAt ?? undefined, status: stage, isOpen: !isOver(stage) },
      name: typeof label === "string" ? label : undefined,
      submissionKey,
      files: [`${owner}/${start}-${mark}`],
    }
  }
}
