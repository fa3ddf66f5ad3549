import { readFileSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import { addressRefusal, addressSchema } from "../core/addresses.ts"
import type { BackendContext, BackendModule, Check, FineTuneBackend } from "../core/contracts/backend.ts"
import { chatRowFaults, plainChat } from "../core/contracts/chat-rows.ts"
import { ToolkitError } from "../core/errors.ts"
import { hostOf } from "../core/asking/model-match.ts"
import { parseYaml } from "../core/parse.ts"
import type { RemoteJob } from "../core/training/run.ts"
import { uploadsOf } from "./hosted/submission-notes.ts"
import { costOfTokens, estimateByPrice } from "./hosted/training-prices.ts"
import { fetchAdapter } from "./hosted/wandb/adapter.ts"
import { WandbArtifacts } from "./hosted/wandb/artifacts.ts"
import { WandbJobs, wandbMessageOf } from "./hosted/wandb/jobs.ts"
import { isOver, jobLog, pollJob } from "./hosted/wandb/poll.ts"
import {
  confirmJob,
  findJob,
  purge,
  refusalsOf,
  storedThings,
  submitJob,
  unnamedJob,
  type WandbProject,
} from "./hosted/wandb/submit.ts"
import { pollSeconds } from "./hosted/shared-options.ts"
import { HostedWire, type Service } from "./hosted/wire.ts"

const optionsSchema = z.strictObject({
  project: z.string().min(1).default("tuneloop").describe("The W&B project that models and rows go to"),
  entity: z.string().min(1).optional().describe("The W&B team or user of the project; default: the key's own"),
  baseUrl: addressSchema.default("https://api.training.wandb.ai/v1").describe("The training API's address, up to /v1"),
  artifactsUrl: addressSchema
    .default("https://api.wandb.ai")
    .describe("The address of W&B itself, where artifacts are"),
  inferenceUrl: addressSchema
    .default("https://api.inference.wandb.ai/v1")
    .describe("Where base models and checkpoints are asked, up to /v1"),
  apiKeyEnv: z.string().default("WANDB_API_KEY").describe("The environment variable that holds the key"),
  pollSeconds: pollSeconds(20),
})
type Options = z.output<typeof optionsSchema>

/** Trains LoRA adapters by W&B's Serverless SFT; they answer without a deployment and can be taken home. */
const module: BackendModule<Options> = {
  summary: "W&B Serverless SFT: LoRA on open models, served without a deployment",
  kind: "hosted",
  options: optionsSchema,
  examples: {
    "W&B Serverless SFT": {
      baseModel: "OpenPipe/Qwen3-14B-Instruct",
      options: { entity: "your-team", project: "support" },
    },
  },
  environment: [{ name: "WANDB_API_KEY", purpose: "the key of W&B", secret: true }],
  create: wandb,
}
export default module

function wandb(context: BackendContext, options: Options): FineTuneBackend {
  const { baseUrl, artifactsUrl, inferenceUrl, apiKeyEnv, entity, project } = options
  const facts = factsOf(context)
  const wireTo = (address: string, more: Partial<Service> = {}) =>
    new HostedWire(context, { name: "wandb", baseUrl: address, apiKeyEnv, messageOf: wandbMessageOf, ...more })
  const jobs = new WandbJobs(wireTo(baseUrl))
  const artifacts = new WandbArtifacts(wireTo(artifactsUrl, { keyForm: "basic" }), ({ origin }) =>
    wireTo(origin, { keyForm: "none" }),
  )
  const place: WandbProject = { jobs, artifacts, entity, project }
  const priced = { baseUrl, prices: context.trainingPrices }
  const find: FineTuneBackend["find"] = (submissionKey, files) => findJob(place, submissionKey, files)
  return {
    name: "wandb",
    kind: "hosted",
    host: hostOf(baseUrl),
    baseUrl,
    rows: { fewestRows: 1, faults: (row) => chatRowFaults(row), row: plainChat },
    capabilities: () => ({
      objectives: ["sft"],
      methods: ["lora"],
      settings: ["name", "epochs", "batchSize", "learningRate", "scheduler", "warmupRatio"],
      asOf: facts.asOf,
      source: facts.source,
    }),
    check: async () => [keyCheck(jobs.wire), hostsCheck(context, [baseUrl, artifactsUrl])],
    notes: [
      `serving: ${facts.serving}`,
      `weights: ${facts.weights}`,
      `checkpoints: ${facts.checkpoints}`,
      `unverified, as of ${facts.asOf}: ${facts.unverified.join("; ")}`,
    ],
    estimate: async (plan) => estimateByPrice(plan, priced),
    refusals: (plan) => refusalsOf(place, plan, facts.mostFileBytes),
    submit: async (plan, files, { submissionKey }) =>
      (await find(submissionKey, files)) ?? (await submitJob(place, plan, files, submissionKey)),
    find,
    confirm: (id, plan, files, submissionKey) => confirmJob(place, id, { plan, files, submissionKey }),
    poll: (job, _files, cursor) =>
      pollJob(jobs, job, cursor, {
        pollAfterMs: options.pollSeconds * 1000,
        costOf: (model, tokens) => costOfTokens(model, tokens, priced),
      }),
    logs: (job, _files, cursor) => jobLog(jobs, job, cursor),
    cancel: (job) => requireOver(jobs, job),
    fetch: (job, files) => fetchAdapter(place, job, files),
    uploads: async (files) => uploadsOf(files),
    stored: () => storedThings(place),
    purge: (reference) => purge(place, reference),
    chat: (model) => {
      const served = model.kind === "base" ? model.model : model.kind === "hosted" ? model.id : undefined
      return served === undefined ? undefined : { baseUrl: inferenceUrl, apiKeyEnv, model: served }
    },
  }
}

async function requireOver(jobs: WandbJobs, { id }: RemoteJob): Promise<void> {
  if (id === unnamedJob || (await isOver(jobs, id))) return
  throw new ToolkitError(`W&B has no call to cancel a job: ${id} goes on to its end`, {
    code: "unsupported",
    hint: "Stop it on the page of its run at wandb.ai, then: tuneloop runs sync",
  })
}

function keyCheck(wire: HostedWire): Check {
  const { apiKeyEnv, baseUrl } = wire.service
  return wire.hasKey
    ? { name: "key", status: "ok", detail: `${apiKeyEnv} is set, for ${new URL(baseUrl).host}` }
    : {
        name: "key",
        status: "missing",
        detail: `${apiKeyEnv} is not set`,
        hint: `Set ${apiKeyEnv} to a key of W&B to train there.`,
      }
}

/** The rows go to more than one host; the last one is named by the service at each upload. */
function hostsCheck({ allowedHosts }: BackendContext, addresses: readonly string[]): Check {
  const hosts = addresses.map((address) => new URL(address).hostname)
  const refused = hosts.filter((_host, place) => addressRefusal(addresses[place] ?? "", allowedHosts) !== undefined)
  const store = "and the store that W&B names at the upload, as a rule storage.googleapis.com"
  return refused.length === 0
    ? { name: "hosts", status: "ok", detail: `${hosts.join(", ")} are allowed; rows go there, ${store}` }
    : {
        name: "hosts",
        status: "warning",
        detail: `rows go to ${hosts.join(", ")}, ${store}; not allowed: ${refused.join(", ")}`,
        hint: `Add ${refused.join(", ")} and the store to allowedHosts in tuneloop.yaml if the rows may go there.`,
      }
}

const factsSchema = z.strictObject({
  /** The largest file that goes up in one piece. */
  mostFileBytes: z.int().positive(),
  serving: z.string(),
  checkpoints: z.string(),
  weights: z.string(),
  asOf: z.iso.date(),
  source: z.string(),
  unverified: z.array(z.string()),
})

function factsOf({ packageRoot }: Pick<BackendContext, "packageRoot">): z.output<typeof factsSchema> {
  const file = join(packageRoot, "facts", "wandb.yaml")
  return parseYaml(factsSchema, readFileSync(file, "utf8"), file, "Install tuneloop again.")
}
