import type { Artifact, RunFiles } from "../core/contracts/backend.ts"
import { bringAdapter } from "./work/adapter.ts"
import { trainingState } from "./_training.ts"
import type { Transport } from "./_transport.ts"
import { readExit } from "./_work-state.ts"

/**
 * The adapter that a training made is in the run's folder, whole and with the digest that the trainer gave it. Returns
 * what is here of what was made elsewhere.
 */
export async function fetchAdapter(transport: Transport, files: RunFiles): Promise<readonly Artifact[]> {
  const place = transport.place(files.adapter)
  if (place === files.adapter) return []
  const exit = await readExit(transport, trainingState(files))
  if (exit?.status !== "succeeded") return []
  const get = (to: string) => transport.get(place, to)
  return [await bringAdapter(files.adapter, { digest: exit.adapterDigest, provider: transport.name, get })]
}
