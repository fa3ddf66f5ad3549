import { writeFileSync } from "node:fs"
import { join } from "node:path"
import openAiCompatible from "../../../src/backends/openai-compatible.ts"
import type { PaidTraining } from "../../../src/stages/context.ts"
import { train } from "../../../src/stages/training/train.ts"
import type { OpenAiServer } from "../../backends/openai-server.ts"
import { backendContext, stageContext } from "./workspace.ts"

export interface HostedCircumstances {
  readonly settleMs?: number
  readonly key?: string
  /** Whether somebody wrote down what training costs: $5 a million tokens. */
  readonly isPriced?: boolean
}

/** A command over the server in the folder, as a process with nothing in memory would run it. */
export function hostedCommand(
  folder: string,
  server: OpenAiServer,
  { settleMs = 0, key = server.key, isPriced = true }: HostedCircumstances = {},
) {
  const said: string[] = []
  const slept: number[] = []
  const asked: PaidTraining[] = []
  const sleep = async (milliseconds: number) => void slept.push(milliseconds)
  const context = stageContext(folder, { said, sleep, consent: async (act) => void asked.push(act) })
  const price = { match: "gpt-4.1-mini", usdPerMillionTokens: 5, asOf: "2026-11-22", source: "a test" }
  const place = { ...backendContext({ OPENAI_API_KEY: key }), sleep, trainingPrices: isPriced ? [price] : [] }
  const open = (options: object) => openAiCompatible.create(place, openAiCompatible.options.parse(options))
  const backend = open({ profile: "custom", baseUrl: server.url, settleSeconds: settleMs / 1000 })
  const { workspace } = context
  return {
    context,
    backend,
    /** The backend that a plan names. */
    open: async ({ options }: { readonly options: object }) => open(options),
    said,
    slept,
    asked,
    train: (job = "mood") => train(context, workspace.readJob(job), workspace.readTask("mood"), backend),
    trainThere: (job = "mood") => {
      const specification = workspace.readJob(job)
      return train(context, specification, workspace.readTask("mood"), open(specification.backend.options))
    },
  }
}

/** A job at the server, in the folder; another seed is another plan. */
export function writeHostedJob(folder: string, job: string, { url }: OpenAiServer, settings: object = {}): void {
  const backend = { name: "openai-compatible", options: { profile: "custom", baseUrl: url, settleSeconds: 0 } }
  const all = { schemaVersion: 1, job, task: "mood", baseModel: "gpt-4.1-mini-2025-04-14", backend, ...settings }
  writeFileSync(join(folder, "jobs", `${job}.yaml`), JSON.stringify(all))
}

/** What the work throws. */
export const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error as Error & { code?: string; hint?: string },
  )
