import type { ServerResponse } from "node:http"

/** A job as the server keeps it. */
export interface ServedJob {
  readonly id: string
  readonly asked: AskedJob
  readonly createdAt: string
  startedAt: string | null
  finishedAt: string | null
  stage: string
  message: string | null
  /** How many of its machine's events were told. */
  told: number
  readonly log: { readonly data: string; readonly timestamp: string }[]
  /** Those who read the log as it comes. */
  readonly listeners: Set<ServerResponse>
}

/** What a job is asked for with. */
export interface AskedJob {
  readonly dockerImage?: string
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly secrets?: Readonly<Record<string, string>>
  readonly flavor: string
  readonly timeoutSeconds?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly volumes?: readonly { readonly type: string; readonly source: string; readonly mountPath: string }[]
}

/** What the service says of a job: secrets by their names only. */
export function shownJob(job: ServedJob): object {
  const { id, asked, createdAt, startedAt, finishedAt, stage, message } = job
  const { secrets = {}, timeoutSeconds = 1800, ...rest } = asked
  return {
    ...{ type: "job", id, createdAt, startedAt, finishedAt, ...rest, timeoutSeconds, arguments: [] },
    secrets: Object.keys(secrets),
    status: { stage, message, failureCount: 0, exposeUrls: null, sshUrl: null },
    ...{ owner: { id: "u1", name: "tester", type: "user" }, initiator: null, a_field_nobody_knows: null },
  }
}

/** By the service's own list of 2026-08: a price for each minute. */
export const hardware = [
  { name: "cpu-basic", prettyName: "CPU Basic", cpu: "2 vCPU", ram: "16 GB", accelerator: null, ...minute(167) },
  {
    ...{ name: "a10g-small", prettyName: "Nvidia A10G - small", cpu: "4 vCPU", ram: "15 GB", ...minute(16_667) },
    accelerator: { type: "gpu", model: "A10G", quantity: "1", vram: "24 GB", manufacturer: "Nvidia" },
  },
]

function minute(microUsd: number): object {
  return { unitCostMicroUSD: microUsd, unitCostUSD: microUsd / 1e6, unitLabel: "minute" }
}

/** A line of the log as it is sent to those who listen. */
export function sentLine(line: ServedJob["log"][number]): string {
  return `data: ${JSON.stringify(line)}\n\n`
}
