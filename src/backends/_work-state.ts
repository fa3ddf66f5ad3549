import { join } from "node:path"
import { z } from "zod"
import type { JobSnapshot } from "../core/contracts/backend.ts"
import { parseJson } from "../core/json-text.ts"
import { endOf, exitSchema, type WorkExit } from "./work/exit.ts"
import type { Transport } from "./_transport.ts"

const processSchema = z.object({
  pid: z.int(),
  startedTicks: z.int().nullable(),
  submissionKey: z.string().nullable(),
  startedAt: z.string().optional(),
})
export type WorkProcess = z.output<typeof processSchema>

/** Which process holds, or held last, the state folder of a piece of work. */
export function readProcess(transport: Transport, state: string): Promise<WorkProcess | undefined> {
  return readAs(transport, transport.place(join(state, "process.json")), processSchema)
}

/** How the last process of a state folder ended; undefined while it has not, or could not say. */
export function readExit(transport: Transport, state: string): Promise<WorkExit | undefined> {
  return readAs(transport, transport.place(join(state, "exit.json")), exitSchema)
}

/** The file that names the submission that was cancelled last, so that a killed one is told from a dead one. */
export function cancelledFile(state: string): string {
  return join(state, "cancelled")
}

/** What has become of the submission, by the files of its state folder and by whether its process runs. */
export async function stateOf(
  transport: Transport,
  state: string,
  submissionKey: string,
): Promise<Pick<JobSnapshot, "state" | "message" | "hint" | "since"> & { readonly exit?: WorkExit }> {
  const known = await readProcess(transport, state)
  if (known?.submissionKey !== submissionKey) return { state: "queued" }
  const isAlive = await transport.isAlive(known)
  // Read after the process: a trainer that ended in between has written its exit by then.
  const exit = await readExit(transport, state)
  if (exit?.submissionKey === submissionKey) return { ...endOf(exit), exit }
  if (isAlive) return { state: "running", since: known.startedAt }
  const cancelled = await transport.read(transport.place(cancelledFile(state)))
  if (cancelled !== undefined && textOf(cancelled.bytes).trim() === submissionKey) return { state: "cancelled" }
  return {
    state: "failed",
    message: "the trainer ended without a word; it was killed, or the machine ran out of memory or was restarted",
    hint: "A smaller hyperparameters.batchSize needs less memory.",
  }
}

/** What the file holds; undefined where there is none, or none of this kind. */
async function readAs<Schema extends z.ZodType>(
  transport: Transport,
  file: string,
  schema: Schema,
): Promise<z.output<Schema> | undefined> {
  const part = await transport.read(file)
  if (part === undefined) return undefined
  return schema.safeParse(parseJson(textOf(part.bytes))).data
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8")
}
