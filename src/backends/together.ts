import { z } from "zod"
import { addressSchema } from "../core/addresses.ts"
import type { BackendContext, BackendModule, FineTuneBackend } from "../core/contracts/backend.ts"
import { chatRow, chatRowFaults, preferenceForm } from "../core/contracts/chat-rows.ts"
import { hostOf } from "../core/asking/model-match.ts"
import { fetchAdapter } from "./hosted/together-adapter.ts"
import { togetherDeployer } from "./hosted/together-deployer.ts"
import { EarlierEndpoints, isEarlier } from "./hosted/together-earlier-endpoints.ts"
import { TogetherEndpoints } from "./hosted/together-endpoints.ts"
import { fetchRows, jobHistory } from "./hosted/together-history.ts"
import { togetherMessageOf, TogetherJobs } from "./hosted/together-jobs.ts"
import { jobLog, pollJob } from "./hosted/together-poll.ts"
import { beyondLimits, confirmJob, findJob, storedThings, submitJob } from "./hosted/together-submit.ts"
import { uploadsOf } from "./hosted/submission-notes.ts"
import { offeredFigure, servingFigure } from "./hosted/serving-prices.ts"
import { estimateByPrice } from "./hosted/training-prices.ts"
import { pollSeconds, settleSeconds } from "./hosted/shared-options.ts"
import { HostedWire } from "./hosted/wire.ts"

const ownUrl = "https://api.together.ai/v1"
const ownInference = "https://api-inference.together.ai/v1"
/** The service's own hosts for jobs, by its names of now and before. */
const ownHosts = ["api.together.ai", "api.together.xyz"]

const optionsSchema = z.strictObject({
  baseUrl: addressSchema.default(ownUrl).describe("The server's address, up to /v1"),
  apiKeyEnv: z.string().default("TOGETHER_API_KEY").describe("The environment variable that holds the key"),
  inferenceUrl: addressSchema
    .optional()
    .describe(
      `Where deployed models are asked, up to /v1 (default: ${ownInference}; with another service's baseUrl, that one)`,
    ),
  projectId: z.string().optional().describe("The project in which models are deployed (default: the key's own)"),
  settleSeconds,
  pollSeconds: pollSeconds(30),
})
type Options = z.output<typeof optionsSchema>

/** Trains LoRA adapters at Together; what it made can be taken home. */
const module: BackendModule<Options> = {
  summary: "Together: LoRA on open models, adapters can be taken home",
  kind: "hosted",
  options: optionsSchema,
  examples: { Together: { baseModel: "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference" } },
  environment: [{ name: "TOGETHER_API_KEY", purpose: "the key of Together", secret: true }],
  create: together,
}
export default module

function together(
  context: BackendContext,
  { baseUrl, apiKeyEnv, projectId, settleSeconds, pollSeconds, ...options }: Options,
): FineTuneBackend {
  const wireAt = (address: string) =>
    new HostedWire(context, { name: "together", baseUrl: address, apiKeyEnv, messageOf: togetherMessageOf })
  const wire = wireAt(baseUrl)
  const jobs = new TogetherJobs(wire)
  // Its versions are beside each other.
  const endpoints = new TogetherEndpoints(wireAt(baseUrl.replace(/\/v1\/?$/, "")), projectId)
  const earlier = new EarlierEndpoints(wire)
  const deployer = togetherDeployer({ jobs, endpoints, earlier, settleMs: settleSeconds * 1000 })
  const inferenceUrl = options.inferenceUrl ?? (ownHosts.includes(new URL(baseUrl).host) ? ownInference : baseUrl)
  // The service's own price, where it can be asked.
  const serving = async (baseModel: string) => {
    const filed = () => servingFigure("together", context.servingPrices)
    return wire.hasKey ? deployer.offers(baseModel).then(offeredFigure, filed) : filed()
  }
  const find: FineTuneBackend["find"] = (submissionKey, files) =>
    findJob(jobs, submissionKey, files, settleSeconds * 1000)
  return {
    name: "together",
    kind: "hosted",
    host: hostOf(baseUrl),
    baseUrl,
    rows: { fewestRows: 1, faults: chatRowFaults, row: chatRow, preferences: preferenceForm() },
    capabilities: () => ({
      objectives: ["sft", "dpo"],
      methods: ["lora"],
      settings: [
        ...["name", "rank", "alpha", "dropout", "targetModules"],
        ...["epochs", "batchSize", "gradientAccumulation", "learningRate", "scheduler", "warmupRatio", "weightDecay"],
        ...["maxLength", "beta"],
      ],
      choosesCheckpoint: true,
      asOf: "2026-11-22",
      source: "together-ai 0.52.0; docs.together.ai/reference/finetune",
    }),
    check: async () => [
      wire.hasKey
        ? { name: "key", status: "ok", detail: `${apiKeyEnv} is set, for ${new URL(baseUrl).host}` }
        : {
            name: "key",
            status: "missing",
            detail: `${apiKeyEnv} is not set`,
            hint: `Set ${apiKeyEnv} to a key of Together to train there.`,
          },
    ],
    notes: [
      "serving: a tuned model needs a dedicated endpoint, which is billed by the minute even while idle; " +
        "`runs deploy` and `evaluate --deploy` make one under a lease, and Together stops it after an hour without " +
        "a question. They are asked at api-inference.together.ai, which has to be in `allowedHosts` too",
      "weights: the adapter can be taken home (`runs fetch`)",
      "checkpoints: one an epoch is kept where the job takes the lowest validation loss, else the last alone; the " +
        "service gives them steps and no names, so that another than the last comes home (`runs fetch --checkpoint`) " +
        "and is not asked there",
    ],
    estimate: async (plan) => {
      const { figures } = estimateByPrice(plan, { baseUrl, prices: context.trainingPrices })
      return { figures: [...figures, ...(await serving(plan.baseModel))] }
    },
    refusals: async (plan) => beyondLimits(plan, await jobs.limits(plan.baseModel)),
    submit: async (plan, files, options) =>
      (await find(options.submissionKey, files)) ?? (await submitJob(jobs, plan, files, options)),
    find,
    confirm: (id, plan, files, submissionKey) => confirmJob(jobs, id, { plan, files, submissionKey }),
    poll: (job, _files, cursor) => pollJob(jobs, job, cursor, pollSeconds * 1000),
    logs: (job, _files, cursor) => jobLog(jobs, job, cursor),
    cancel: (job) => jobs.cancel(job.id),
    fetch: (job, files, checkpoint) => fetchAdapter(jobs, job, files, checkpoint),
    history: (id) => jobHistory(jobs, id),
    fetchRows: (job, files) => fetchRows(jobs, job, files),
    uploads: async (files) => uploadsOf(files),
    stored: () => storedThings(jobs),
    purge: (id) => jobs.deleteFile(id),
    ...deployer,
    // A tuned model answers nobody before it is deployed.
    chat: (model) => {
      if (model.kind === "base") return { baseUrl, apiKeyEnv, model: model.model }
      if (model.kind !== "deployment") return undefined
      return { baseUrl: isEarlier(model.id) ? baseUrl : inferenceUrl, apiKeyEnv, model: model.model }
    },
  }
}
