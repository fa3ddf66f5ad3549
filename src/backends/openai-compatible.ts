import { z } from "zod"
import { addressSchema } from "../core/addresses.ts"
import type { BackendContext, BackendModule, Check, FineTuneBackend } from "../core/contracts/backend.ts"
import { chatRow, chatRowFaults, preferenceForm } from "../core/contracts/chat-rows.ts"
import { UsageError } from "../core/errors.ts"
import { hostOf } from "../core/asking/model-match.ts"
import { nearest, show } from "../core/parse.ts"
import type { ModelRef } from "../core/training/model-ref.ts"
import { errorMessageOf, OpenAiJobs } from "./hosted/openai-jobs.ts"
import { jobLog, pollJob } from "./hosted/openai-poll.ts"
import { fetchRows, jobHistory } from "./hosted/openai-history.ts"
import { fetchResults } from "./hosted/openai-results.ts"
import { storedThings } from "./hosted/openai-stored.ts"
import { confirmJob, findJob, submitJob } from "./hosted/openai-submit.ts"
import { profiles, type Profile } from "./hosted/profiles.ts"
import { servingFigure } from "./hosted/serving-prices.ts"
import { costOfTokens, estimateByPrice } from "./hosted/training-prices.ts"
import { uploadsOf } from "./hosted/submission-notes.ts"
import { pollSeconds, settleSeconds } from "./hosted/shared-options.ts"
import { HostedWire } from "./hosted/wire.ts"

const optionsSchema = z.strictObject({
  profile: z
    .string()
    .default("openai")
    .describe("The service, by its name in facts/openai-compatible.yaml; custom for any other"),
  baseUrl: addressSchema.optional().describe("The server's address, up to /v1; default: the profile's"),
  apiKeyEnv: z.string().optional().describe("The environment variable that holds the key; default: the profile's"),
  extra: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("Fields that are added to the request as they are: trainingType for Azure, integrations"),
  settleSeconds,
  pollSeconds: pollSeconds(20),
})
type Options = z.output<typeof optionsSchema>

/** Trains at any service that speaks OpenAI's files and fine-tuning jobs. */
const module: BackendModule<Options> = {
  summary: "OpenAI's fine-tuning wire: OpenAI, Azure, Nebius, Crusoe, or any server that speaks it",
  kind: "hosted",
  options: optionsSchema,
  examples: {
    OpenAI: { baseModel: "gpt-4.1-mini-2025-04-14" },
    "Azure OpenAI": {
      baseModel: "gpt-4.1-mini-2025-04-14",
      options: { profile: "azure", baseUrl: "https://your-resource.openai.azure.com/openai/v1" },
    },
    "Nebius Token Factory": {
      baseModel: "meta-llama/Meta-Llama-3.1-8B-Instruct",
      options: { profile: "nebius" },
    },
    Crusoe: { baseModel: "meta-llama/Llama-3.3-70B-Instruct", options: { profile: "crusoe" } },
    "Any other server": {
      baseModel: "a-model-of-that-server",
      options: { profile: "custom", baseUrl: "https://tuning.example.org/v1", apiKeyEnv: "TUNING_API_KEY" },
    },
  },
  environment: [
    { name: "OPENAI_API_KEY", purpose: "the key, with the profile openai or custom", secret: true },
    { name: "AZURE_OPENAI_API_KEY", purpose: "the key, with the profile azure", secret: true },
    { name: "NEBIUS_API_KEY", purpose: "the key, with the profile nebius", secret: true },
    { name: "CRUSOE_API_KEY", purpose: "the key, with the profile crusoe", secret: true },
  ],
  resolved(context, options) {
    const { baseUrl, apiKeyEnv } = profileOf(context, options.profile)
    return { ...options, baseUrl: options.baseUrl ?? baseUrl, apiKeyEnv: options.apiKeyEnv ?? apiKeyEnv }
  },
  create: openAiCompatible,
}
export default module

const name = "openai-compatible"

function openAiCompatible(context: BackendContext, options: Options): FineTuneBackend {
  const profile = profileOf(context, options.profile)
  const baseUrl = addressOf(options, profile)
  const wire = new HostedWire(context, {
    name: options.profile,
    baseUrl,
    apiKeyEnv: options.apiKeyEnv ?? profile.apiKeyEnv,
    ...(profile.auth === "bearer" ? {} : { keyHeader: profile.auth }),
    messageOf: errorMessageOf,
  })
  const priced = { baseUrl, prices: context.trainingPrices }
  const jobs = new OpenAiJobs(wire, {
    backend: name,
    profile,
    extra: options.extra,
    settleMs: options.settleSeconds * 1000,
    pollAfterMs: options.pollSeconds * 1000,
  })
  return {
    name,
    kind: "hosted",
    host: hostOf(baseUrl),
    baseUrl,
    ...(profile.sunset === undefined ? {} : { sunset: profile.sunset }),
    rows: {
      fewestRows: profile.fewestRows,
      faults: (row) => chatRowFaults(row, { mostTokens: profile.mostRowTokens }),
      row: chatRow,
      ...(profile.objectives.includes("dpo")
        ? { preferences: preferenceForm({ mostTokens: profile.mostRowTokens }) }
        : {}),
    },
    capabilities: () => ({
      objectives: profile.objectives,
      methods: ["lora"],
      settings: ["name", ...Object.keys(profile.settings)],
      choosesCheckpoint: true,
      asOf: profile.asOf,
      source: profile.source,
    }),
    check: () => check(wire, options.profile),
    notes: [`serving: ${profile.serving}`, `weights: ${profile.weights}`, `checkpoints: ${profile.checkpoints}`],
    estimate: async (plan) => ({
      figures: [...estimateByPrice(plan, priced).figures, ...servingFigure(options.profile, context.servingPrices)],
    }),
    refusals: async ({ baseModel }) => (profile.listsModels ? modelRefusals(jobs, baseModel, context.now()) : []),
    // A dated snapshot is what it is; what an alias points to only the provider knows.
    pin: async ({ model }) => (/-\d{4}-\d{2}-\d{2}$/.test(model) ? model : undefined),
    submit: async (plan, files, { submissionKey }) =>
      (await findJob(jobs, submissionKey, files)) ?? (await submitJob(jobs, plan, files, submissionKey)),
    find: (submissionKey, files) => findJob(jobs, submissionKey, files),
    confirm: (id, plan, files, submissionKey) => confirmJob(jobs, id, { plan, files, submissionKey }),
    poll: (job, _files, cursor) =>
      pollJob(jobs, job, cursor, ({ model, trained_tokens: tokens }) => costOfTokens(model ?? "", tokens, priced)),
    logs: (job, _files, cursor) => jobLog(jobs, job, cursor),
    cancel: (job) => jobs.cancel(job.id),
    pause: (job) => jobs.pause(job.id),
    resume: (job) => jobs.resume(job.id),
    fetch: (job, files) => fetchResults(jobs, job, files),
    history: (id) => jobHistory(jobs, id),
    fetchRows: (job, files) => fetchRows(jobs, job, files),
    uploads: async (files) => uploadsOf(files),
    stored: () => storedThings(jobs),
    purge: (id) => jobs.deleteFile(id),
    chat: (model) => {
      const served = servedName(model)
      const { apiKeyEnv, keyHeader } = wire.service
      return served === undefined ? undefined : { baseUrl, apiKeyEnv, keyHeader, model: served }
    },
  }
}

/** What keeps the model from being tuned, as the service itself says it. */
async function modelRefusals(jobs: OpenAiJobs, name: string, now: Date): Promise<string[]> {
  const model = await jobs.model(name)
  if (model === undefined) return [`it has no model ${name}`]
  const { shutdown_date: end } = model
  return end && Date.parse(end) <= now.getTime() ? [`${name} was shut down on ${end}`] : []
}

/** The name by which the service is asked for a model of its own. */
function servedName(model: ModelRef): string | undefined {
  switch (model.kind) {
    case "base":
    case "deployment":
      return model.model
    case "hosted":
      return model.id
    default:
      return undefined
  }
}

function profileOf(context: Pick<BackendContext, "packageRoot">, wanted: string): Profile {
  const known = profiles(context)
  const profile = Object.hasOwn(known, wanted) ? known[wanted] : undefined
  if (profile !== undefined) return profile
  const meant = nearest(wanted, Object.keys(known))
  throw new UsageError(
    `there is no profile ${show(wanted)}; allowed: ${Object.keys(known).join(", ")}` +
      (meant === undefined ? "" : `; did you mean ${show(meant)}?`),
    "Edit backend.options.profile in the job; custom takes any baseUrl.",
  )
}

function addressOf({ baseUrl, profile: name }: Options, profile: Profile): string {
  const address = baseUrl ?? profile.baseUrl
  if (address !== undefined) return address
  throw new UsageError(
    `the profile ${name} has no address of its own`,
    "Add baseUrl to backend.options in the job, up to /v1.",
  )
}

/** Whether the key is there; nothing is sent. */
async function check(wire: HostedWire, profile: string): Promise<readonly Check[]> {
  const { apiKeyEnv, baseUrl } = wire.service
  return [
    wire.hasKey
      ? { name: "key", status: "ok", detail: `${apiKeyEnv} is set, for ${new URL(baseUrl).host}` }
      : {
          name: "key",
          status: "missing",
          detail: `${apiKeyEnv} is not set`,
          hint: `Set ${apiKeyEnv} to a key of ${profile} to train there.`,
        },
  ]
}
