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
  const options = openAiCompatible.options.parse({
    profile: "custom",
    baseUrl: server.url,
    settleSeconds: settleMs / 1000,
  })
  const price = { match: "gpt-4.1-mini", usdPerMillionTokens: 5, asOf: "2026-11-22", source: "a test" }
  const backend = openAiCompatible.create(
    { ...backendContext({ OPENAI_API_KEY: key }), sleep, trainingPrices: isPriced ? [price] : [] },
    options,
  )
  const { workspace } = context
  return {
    context,
    backend,
    said,
    slept,
    asked,
    train: (job = "mood") => train(context, workspace.readJob(job), workspace.readTask("mood"), backend),
  }
}

/** What the work throws. */
export const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error as Error & { code?: string; hint?: string },
  )
