import type { Answer } from "../wire-server.ts"
import { refused } from "./files.ts"
import type { ServedTogetherJob } from "./served.ts"

/** Where the service's own models and configs are. */
const theirs = "proj_together"
const base = `projects/${theirs}/models/ml_base`
const ours = "projects/proj_tests/models"

interface ServedMachine {
  readonly id: string
  readonly cents: number
  /** How many more fit; as good as any where it is not said. */
  readonly headroom: number | undefined
}

/** What can be had, by cents an hour. */
export const machines: readonly ServedMachine[] = [
  { id: "1xnvidia-h200-140gb", cents: 480, headroom: 3 },
  { id: "1xnvidia-h100-80gb", cents: 360, headroom: undefined },
  { id: "1xnvidia-a100-80gb", cents: 240, headroom: 0 },
]

interface ServedConfig {
  readonly path: string
  readonly hardware: string
  readonly optimization: string
  readonly adapters: string
}

const configs: readonly ServedConfig[] = [
  ...machines.map(({ id }, number) => config(`cr_${number + 3}`, id, "balanced", "disabled")),
  config("cr_1", "1xnvidia-h100-80gb", "latency", "disabled"),
  // Cheaper than any, and serves the base beside adapters only.
  config("cr_2", "1xnvidia-l40-48gb", "balanced", "dynamic"),
]

function config(id: string, hardware: string, optimization: string, adapters: string): ServedConfig {
  return { path: `projects/${theirs}/configs/${id}`, hardware, optimization, adapters }
}

export function configsFor(referenceModel: string | null): readonly ServedConfig[] {
  return referenceModel === base ? configs : []
}

/** A model of the registry by its path, with the revision that is meant where none is named. */
export function registered(
  path: string,
  jobs: readonly ServedTogetherJob[],
): { readonly path: string; readonly base: string } | undefined {
  const [model = "", revision] = path.split("/revisions/")
  const job = jobs.find(({ model_object_id: id }) => id !== undefined && `${ours}/${id}` === model)
  if (job === undefined || (revision !== undefined && revision !== job.model_object_revision_id)) return undefined
  return { path: `${model}/revisions/${job.model_object_revision_id}`, base }
}

interface Registry {
  readonly jobs: readonly ServedTogetherJob[]
  readonly model: string
  /** Whether no machine has room. */
  readonly isFull: boolean
}

/** The lists of machines, of models that the service has itself, of configs, and the models of the project. */
export function registryAnswer(url: URL, { jobs, model: catalogue, isFull }: Registry): Answer | undefined {
  const [, , room, , part, id] = url.pathname.split("/")
  const list = (data: readonly object[]): Answer => ({ status: 200, body: { object: "list", data } })
  if (url.pathname === "/v2/public/inference-instance-types")
    return list(
      [...machines, { id: "1xnvidia-l40-48gb", cents: 90, headroom: 9 }].map((each) =>
        shownMachine(isFull ? { ...each, headroom: 0 } : each),
      ),
    )
  if (room === "supported-models") {
    const search = url.searchParams.get("search") ?? ""
    const names = [`${catalogue}-Instruct`, catalogue].filter((name) => name.includes(search))
    return list(names.map((name) => supported(name, name === catalogue ? base : "")))
  }
  if (part === "configs") return list(configsFor(url.searchParams.get("referenceModel")).map(shownConfig))
  if (part !== "models" || id === undefined) return undefined
  const found = jobs.find(({ model_object_id: model }) => model === id)
  if (found === undefined) return refused(404, `model ${id} not found`)
  const owners = { projectId: "proj_tests", organizationId: "org_tests", visibility: "VISIBILITY_PRIVATE" }
  const weights = { type: "WEIGHTS_TYPE_DEFAULT" }
  return { status: 200, body: { id, name: `org/${found.suffix}`, ...owners, weights, baseModel: base } }
}

/** A model of the catalogue; one without a base model is not served. */
function supported(name: string, baseModel: string): object {
  const [at, text] = ["2026-06-01T09:00:00Z", ["MODALITY_TEXT"]]
  return {
    ...{ id: `arch_${name}`, name, displayName: name, displayType: "chat", publisher: "tests" },
    ...{ baseModel, baseModelId: baseModel.split("/").at(-1), deploymentProfiles: [], createdAt: at, updatedAt: at },
    ...{ capabilities: ["CAPABILITY_CHAT"], inputModalities: text, outputModalities: text },
    ...{ products: ["PRODUCT_DEDICATED"], status: "SUPPORTED_MODEL_STATUS_SUPPORTED" },
  }
}

function shownMachine({ id, cents, headroom }: ServedMachine): object {
  const [gpuCount] = id.split("x")
  const room = headroom === undefined ? {} : { headroom: { value: headroom, relation: "RELATION_EQ" } }
  return {
    ...{ id: `type_${id}`, name: id, description: id, gpuCount: Number(gpuCount), gpuMemoryGib: 80, gpuType: "h100" },
    ...{ priceCentsPerHour: cents, regions: [{ name: "us", ...room }] },
  }
}

function shownConfig({ path, hardware, optimization, adapters }: ServedConfig): object {
  const [accelerator_count, ...type] = hardware.split("x")
  const selectors = { accelerator_count, accelerator_type: type.join("x"), optimization, adapter_mode: adapters }
  return {
    ...{ id: path.split("/").at(-1), projectId: theirs, referenceModel: base, referenceModelId: "ml_base" },
    ...{ certifications: [], selectors: Object.entries(selectors).map(([key, value]) => ({ key, value })) },
  }
}
