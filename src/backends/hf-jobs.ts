import { join } from "node:path"
import { z } from "zod"
import { addressSchema } from "../core/addresses.ts"
import { hostOf } from "../core/asking/model-match.ts"
import type { BackendContext, BackendModule, FineTuneBackend, TrainingPlan } from "../core/contracts/backend.ts"
import { ProviderError } from "../core/errors.ts"
import { trainerMethods, trainerObjectives, trainerSettings } from "../core/training/job.ts"
import { pollSeconds, settleSeconds } from "./hosted/shared-options.ts"
import { HostedWire } from "./hosted/wire.ts"
import { uploadsOf } from "./hosted/submission-notes.ts"
import { homeRunner } from "./_home.ts"
import { estimateOf, rateOf, reckon, type Reckoning, timeoutRefusal } from "./hosted/hub/costs.ts"
import { hubFacts, type HubFacts } from "./hosted/hub/facts.ts"
import { Hub } from "./hosted/hub/hub.ts"
import { jobLog } from "./hosted/hub/log.ts"
import { isOver, pollJob } from "./hosted/hub/poll.ts"
import { fetchResults } from "./hosted/hub/results.ts"
import { storedThings } from "./hosted/hub/stored.ts"
import { backendName, confirmJob, findJob, type JobPlace, submitJob } from "./hosted/hub/submit.ts"

const publicHub = "https://huggingface.co"

const optionsSchema = z.strictObject({
  baseUrl: addressSchema.default(publicHub).describe("The hub's address"),
  apiKeyEnv: z
    .string()
    .default("HF_TOKEN")
    .describe("The environment variable that holds a token with write access; the job gets it as its secret HF_TOKEN"),
  namespace: z
    .string()
    .regex(/^[\w.-]+$/, "must be the name of a user or an organisation")
    .optional()
    .describe("The user or organisation that owns, and pays for, jobs and repositories; default: the token's owner"),
  flavor: z.string().default("a10g-small").describe("The hardware, by its name at the service"),
  image: z
    .string()
    .default("ghcr.io/astral-sh/uv:python3.12-bookworm")
    .describe("The Docker image: one with Python 3.11 or newer; the trainer's pinned requirements are put into it"),
  repository: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,60}$/, "must be the beginning of a repository's name, without its owner")
    .default("tuneloop")
    .describe("What the names of the private dataset repositories begin with, one for each attempt"),
  timeoutSeconds: z
    .int()
    .positive()
    .optional()
    .describe(
      "When the service ends the job; refused below the estimate; default: twice the estimate, an hour or more",
    ),
  settleSeconds,
  pollSeconds: pollSeconds(30),
  quietSeconds: z
    .number()
    .positive()
    .default(3)
    .describe("How long the log of a running job says nothing before it is taken for read"),
})
type Options = z.output<typeof optionsSchema>

/** Our trainer on rented hardware of Hugging Face; what it made is fetched home. */
const module: BackendModule<Options> = {
  summary: "Hugging Face Jobs: the trainer on rented hardware, adapters are fetched home",
  kind: "hosted",
  options: optionsSchema,
  examples: {
    "Hugging Face Jobs": { baseModel: "HuggingFaceTB/SmolLM2-1.7B-Instruct", options: { flavor: "l4x1" } },
  },
  environment: [{ name: "HF_TOKEN", purpose: "a token of the hub, with write access for hf-jobs", secret: true }],
  create: hfJobs,
}
export default module

function hfJobs(context: BackendContext, options: Options): FineTuneBackend {
  const { baseUrl, apiKeyEnv, flavor, image, repository, timeoutSeconds } = options
  const facts = hubFacts(context)
  const wire = new HostedWire(context, { name: backendName, baseUrl, apiKeyEnv, messageOf })
  const hub = new Hub(context, wire, facts.storageHosts, options.namespace)
  const place: JobPlace = {
    ...{ hub, image, flavor, repository },
    trainer: join(context.packageRoot, "trainer"),
    settleMs: options.settleSeconds * 1000,
    endpoint: new URL(baseUrl).href === new URL(publicHub).href ? undefined : baseUrl.replace(/\/$/, ""),
  }
  const quietMs = options.quietSeconds * 1000
  const look = { hub, quietMs, pollAfterMs: options.pollSeconds * 1000, rateOf: (of: string) => rateOf(hub, facts, of) }
  const reckoned = (plan: TrainingPlan) => reckon(hub, facts, plan, { flavor, timeoutSeconds })
  const { countTokens, generate, generating, stopGeneration } = homeRunner(context, {})
  return {
    name: backendName,
    kind: "hosted",
    host: hostOf(baseUrl),
    baseUrl,
    capabilities: () => ({
      objectives: trainerObjectives,
      methods: trainerMethods,
      settings: trainerSettings(),
      asOf: facts.asOf,
      source: facts.source,
    }),
    notes: [
      pricesNote(facts),
      "time: the service ends a job with its timeout, 30 minutes unless one is sent: one above the estimate always " +
        "is (`timeoutSeconds`), and a ceiling counts the whole of it",
      "hosts: huggingface.co has to be in `allowedHosts`; the hub's own stores, to which it sends large files, are " +
        "in `facts/hugging-face-jobs.yaml`",
      "rows, results and checkpoints lie in a private dataset repository for each attempt; `runs purge` deletes it, " +
        "history and all",
      "serving: nothing is served there and nothing costs while idle; an evaluation generates on this machine, with " +
        "the adapter that was fetched",
      "weights: the adapter comes home by itself (`runs fetch`)",
      `checkpoints: ${facts.checkpoints}`,
    ],
    check: async () => [keyCheck(wire)],
    estimate: async (plan) => estimateOf(plan, await reckoned(plan), await rateOf(hub, facts, flavor)),
    refusals: async (plan) => refusalsOf(hub, plan, await reckoned(plan)),
    // What a name of the hub points to is settled there; a commit is what it is.
    pin: async ({ revision }) => (revision !== null && /^[0-9a-f]{40}$/.test(revision) ? revision : undefined),
    async submit(plan, files, { submissionKey, resume }) {
      const found = await findJob(place, submissionKey, files)
      if (found !== undefined) return found
      const reckoning = await reckoned(plan)
      const [refusal] = await refusalsOf(hub, plan, reckoning)
      if (refusal !== undefined) throw new ProviderError(refusal, { provider: backendName, mayHaveCost: false })
      return submitJob(place, plan, files, { submissionKey, resume, timeoutSeconds: reckoning.timeoutSeconds })
    },
    find: (submissionKey, files) => findJob(place, submissionKey, files),
    confirm: (id, plan, files, submissionKey) => confirmJob(place, id, { plan, files, submissionKey }),
    poll: (job, files, cursor) => pollJob(look, job, files, cursor),
    logs: async (job, _files, cursor) =>
      job === undefined ? { text: "", cursor: cursor ?? "" } : jobLog(hub, job.id, quietMs, cursor),
    cancel: ({ id }) => cancel(hub, id),
    fetch: (job, files) => fetchResults(hub, job, files),
    uploads: async (files) => uploadsOf(files),
    stored: () => storedThings(place),
    purge: (id) => hub.deleteRepository(id),
    ...{ countTokens, generate, generating, stopGeneration },
  }
}

function pricesNote({ flavors, asOf }: HubFacts): string {
  const prices = flavors.map(({ name, usdPerHour }) => `${name} $${usdPerHour}`)
  return `hardware, by the hour: ${prices.join(", ")}, as of ${asOf}; the service is asked for its own list`
}

/** A job that is over refuses to be cancelled: that is as good. */
async function cancel(hub: Hub, id: string): Promise<void> {
  try {
    await hub.cancel(id)
  } catch (error) {
    if (!(error instanceof ProviderError) || error.isUnreachable) throw error
    if (!isOver((await hub.job(id)).status?.stage ?? "unknown")) throw error
  }
}

/** What would make a job fail that was paid for: a base model that is not there, and too little time. */
async function refusalsOf(hub: Hub, { baseModel }: TrainingPlan, reckoning: Reckoning): Promise<string[]> {
  const tooShort = timeoutRefusal(reckoning)
  return [...(await baseRefusals(hub, baseModel)), ...(tooShort === undefined ? [] : [tooShort])]
}

async function baseRefusals(hub: Hub, baseModel: string): Promise<string[]> {
  if (baseModel.startsWith("package:")) return []
  if (!/^[\w-][\w.-]*(\/[\w.-]+)?$/.test(baseModel) || baseModel.endsWith(".gguf"))
    return [`baseModel is ${baseModel}, which lies on this machine; allowed: a model of the hub, or one in a package`]
  return (await hub.model(baseModel)) === undefined ? [`the hub has no model ${baseModel} for this token`] : []
}

function keyCheck({ hasKey, service: { apiKeyEnv, baseUrl } }: HostedWire) {
  return hasKey
    ? ({ name: "key", status: "ok", detail: `${apiKeyEnv} is set, for ${new URL(baseUrl).host}` } as const)
    : ({
        ...({ name: "key", status: "missing", detail: `${apiKeyEnv} is not set` } as const),
        hint: `Set ${apiKeyEnv} to a token of Hugging Face with write access to train there.`,
      } as const)
}

const errorSchema = z.looseObject({ error: z.string() })

/** What the hub says in an error. */
function messageOf(body: unknown): string | undefined {
  return errorSchema.safeParse(body).data?.error
}
