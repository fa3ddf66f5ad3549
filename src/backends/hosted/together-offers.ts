import type { ServingOffer } from "../../core/contracts/deployment.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { ModelRef } from "../../core/training/model-ref.ts"
import type { Config, Machine, TogetherEndpoints } from "./together-endpoints.ts"
import type { TogetherJobs } from "./together-jobs.ts"

/** A tuned model as the registry has it, from which it is deployed. */
export interface RegisteredModel {
  /** The revision that its job made. */
  readonly path: string
  /** Whose configs may serve it, the likeliest first. */
  readonly references: readonly string[]
}

/** The tuned model in the project's registry. Throws where its job put none there. */
export async function registeredModel(
  jobs: TogetherJobs,
  endpoints: TogetherEndpoints,
  model: ModelRef,
): Promise<RegisteredModel> {
  if (model.kind !== "hosted") throw new TypeError(`together deploys models of its own, not a ${model.kind} model`)
  const listed = (await jobs.jobs()).find(({ model_output_name: name }) => name === model.id)
  const job = listed && (await jobs.job(listed.id))
  const id = job?.model_object_id
  const found = id ? await endpoints.model(id) : undefined
  if (found === undefined)
    throw new ToolkitError(`${model.id} is not in the model registry of the project, from which Together deploys`, {
      code: "unsupported",
      exitCode: 2,
      hint: "Bring the weights home: tuneloop runs fetch <run>. Together can tell why its job did not register it.",
    })
  const revision = job?.model_object_revision_id
  return {
    path: revision ? `${found.path}/revisions/${revision}` : found.path,
    references: [...(found.base === undefined ? [] : [found.base]), found.path],
  }
}

/**
 * The machines on which a model with these references can be served, the cheapest first: of the ways to serve it on
 * one, the balanced one.
 */
export async function offersFor(
  endpoints: TogetherEndpoints,
  references: readonly string[],
): Promise<readonly ServingOffer[]> {
  const configs = await firstConfigs(endpoints, references)
  if (configs.length === 0) return []
  const machines = await endpoints.machines()
  const asOf = endpoints.wire.now().toISOString().slice(0, 10)
  const source = `${new URL(endpoints.wire.service.baseUrl).host}, /v2/public/inference-instance-types`
  const offers = new Map<string, ServingOffer>()
  for (const config of configs.toSorted((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1))) {
    const hardware = hardwareOf(config)
    const machine = machines.find(({ id, name }) => name === hardware || id === hardware)
    const cents = machine?.priceCentsPerHour
    if (hardware === undefined || machine === undefined || !isPrice(cents) || offers.has(hardware)) continue
    offers.set(hardware, {
      ...{ hardware, config: `projects/${config.projectId}/configs/${config.id}` },
      ...{ usdPerHour: cents / 100, asOf, source, isAvailable: isFree(machine) },
    })
  }
  return [...offers.values()].sort((a, b) => a.usdPerHour - b.usdPerHour || (a.hardware < b.hardware ? -1 : 1))
}

/** Whether it can be what an hour costs: one below zero would open every ceiling. */
function isPrice(cents: number | null | undefined): cents is number {
  return typeof cents === "number" && cents >= 0 && cents <= 1e6
}

/** A model that was derived may have configs of its own while its base has some, or none. */
async function firstConfigs(endpoints: TogetherEndpoints, references: readonly string[]): Promise<Config[]> {
  for (const reference of references) {
    const configs = (await endpoints.configs(reference)).filter(servesWholeModels)
    if (configs.length > 0) return configs
  }
  return []
}

/** Others serve a base beside adapters; what a job made is whole. */
function servesWholeModels(config: Config): boolean {
  return ["", "disabled", "unspecified"].includes(selected(config, "adapter_mode") ?? "")
}

function rank(config: Config): number {
  return selected(config, "optimization") === "balanced" ? 0 : 1
}

/** Undefined where a config is of no one machine. */
function hardwareOf(config: Config): string | undefined {
  const [count, type] = [selected(config, "accelerator_count"), selected(config, "accelerator_type")]
  return count && type ? `${count}x${type}` : undefined
}

function selected({ selectors }: Config, key: string): string | undefined {
  return selectors?.find((selector) => selector.key === key)?.value
}

/** What is not said is no refusal: the service tells whoever asks for it. */
function isFree({ regions }: Machine): boolean {
  const free = (regions ?? []).map(({ headroom }) => headroom?.value ?? (headroom?.relation == null ? 1 : 0))
  return free.length === 0 || free.some((value) => value > 0)
}
