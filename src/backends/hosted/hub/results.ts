import { existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import type { Artifact, RunFiles } from "../../../core/contracts/backend.ts"
import { parseJson } from "../../../core/json-text.ts"
import type { RemoteJob } from "../../../core/training/run.ts"
import { artifactOf } from "../artifacts.ts"
import { bringAdapter } from "../../work/adapter.ts"
import { exitSchema } from "../../work/exit.ts"
import type { Hub } from "./hub.ts"
import { backendName, repositoryOf } from "./submit.ts"

const logs = ["events.jsonl", "trainer.log"]

/**
 * The adapter of a finished job is in the run's folder with the digest that the trainer gave it, and beside it the logs
 * that the job left, of the sizes that the hub states. What is here already is not brought again.
 */
export async function fetchResults(hub: Hub, job: RemoteJob, files: RunFiles): Promise<Artifact[]> {
  const repository = repositoryOf(job)
  const exit = exitSchema.safeParse(parseJson((await hub.text(repository, "out/exit.json")) ?? "")).data
  if (exit?.submissionKey !== job.submissionKey) return []
  const left = await hub.files(repository, "out")
  const brought: Artifact[] = []
  if (exit.status === "succeeded") {
    const get = async (to: string) => {
      mkdirSync(to, { recursive: true })
      for (const { path } of left) {
        const name = below("out/adapter/", path)
        if (name !== undefined) await hub.download(repository, path, join(to, name))
      }
    }
    brought.push(await bringAdapter(files.adapter, { digest: exit.adapterDigest, provider: backendName, get }))
  }
  for (const name of logs) {
    const path = `out/${name}`
    // The run's own events have that name one folder up.
    const to = join(files.folder, "hub", name)
    if (!left.some((entry) => entry.path === path)) continue
    if (!existsSync(to)) await hub.download(repository, path, to)
    brought.push(await artifactOf(to))
  }
  return brought
}

/** What a name has after its beginning; no name leads out of the folder. */
function below(start: string, path: string): string | undefined {
  const name = path.startsWith(start) ? path.slice(start.length) : undefined
  return name === undefined || name.split("/").includes("..") ? undefined : name
}
