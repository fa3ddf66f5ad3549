import { z } from "zod"
import { ProviderError, ToolkitError } from "../../core/errors.ts"
import type { HostedWire } from "./wire.ts"

const text = z.string().nullish()
const splitSchema = z.looseObject({ deploymentId: z.string(), weight: z.number().nullish() })

const summarySchema = z.looseObject({
  id: z.string(),
  state: text,
  hardware: text,
  readyReplicas: z.number().nullish(),
})

const endpointSchema = z.looseObject({
  id: z.string(),
  /** What a question names as its model: the project's own name, and the endpoint's. */
  name: z.string(),
  /** The newest ones. */
  deployments: z.array(summarySchema).nullish(),
  trafficSplit: z.array(splitSchema).nullish(),
})
export type Endpoint = z.output<typeof endpointSchema>

const deploymentSchema = z.looseObject({
  id: z.string(),
  hardware: text,
  status: z.looseObject({ state: text, message: text, readyReplicas: z.number().nullish() }).nullish(),
})

/** How a deployment is, from a list or by itself. */
export interface Deployed {
  readonly id: string
  /** The service's own word, without its prefix. */
  readonly state: string
  readonly readyReplicas: number
  readonly hardware: string | undefined
}

const modelSchema = z.looseObject({ id: z.string(), baseModel: text })

const configSchema = z.looseObject({
  id: z.string(),
  projectId: z.string(),
  selectors: z.array(z.looseObject({ key: z.string(), value: z.string() })).nullish(),
})
export type Config = z.output<typeof configSchema>

const machineSchema = z.looseObject({
  id: z.string(),
  name: text,
  priceCentsPerHour: z.number().nullish(),
  regions: z
    .array(z.looseObject({ headroom: z.looseObject({ value: z.number().nullish(), relation: text }).nullish() }))
    .nullish(),
})
export type Machine = z.output<typeof machineSchema>

const whoSchema = z.looseObject({ project: z.looseObject({ id: z.string() }).nullish() })

/**
 * The calls of Together's endpoints, of the deployments under them, and of the models and machines that they are made
 * of (v2), in one project: the key's own, unless another is named.
 */
export class TogetherEndpoints {
  readonly wire: HostedWire
  #project: Promise<string> | undefined

  /** The wire is at the root of the service, above its versions. */
  constructor(wire: HostedWire, project: string | undefined) {
    this.wire = wire
    this.#project = project === undefined ? undefined : Promise.resolve(project)
  }

  project(): Promise<string> {
    this.#project ??= this.#ownProject()
    // Whoever could not be asked is asked again.
    this.#project.catch(() => (this.#project = undefined))
    return this.#project
  }

  async endpoints(filter?: string): Promise<Endpoint[]> {
    return this.#all(await this.#inProject("/endpoints"), endpointSchema, filter === undefined ? {} : { filter })
  }

  /** The endpoint of that name, without the project's; undefined where there is none. */
  async named(name: string): Promise<Endpoint | undefined> {
    const found = await this.endpoints(`name="${name}"`)
    return found.find((endpoint) => bareName(endpoint) === name)
  }

  async endpoint(id: string): Promise<Endpoint | undefined> {
    return orNothing(this.wire.get(await this.#endpointPath(id), endpointSchema))
  }

  async deployments(endpoint: string): Promise<Deployed[]> {
    return (await this.#all(`${await this.#endpointPath(endpoint)}/deployments`, deploymentSchema)).map(deployedOf)
  }

  async deployment(endpoint: string, id: string): Promise<Deployed | undefined> {
    const found = await orNothing(this.wire.get(await this.#deploymentPath(endpoint, id), deploymentSchema))
    return found && deployedOf(found)
  }

  /** Costs nothing by itself. Once for each call; an error says whether there may be one. */
  async createEndpoint(name: string): Promise<Endpoint> {
    const body = { name, visibility: "VISIBILITY_PRIVATE" }
    return this.wire.create(await this.#inProject("/endpoints"), body, endpointSchema, creating)
  }

  /** Bills from now on. Once for each call; an error says whether there may be one. */
  async createDeployment(endpoint: string, body: object): Promise<Deployed> {
    const path = `${await this.#endpointPath(endpoint)}/deployments`
    return deployedOf(await this.wire.create(path, body, deploymentSchema, creating))
  }

  /** All questions to the endpoint go to these deployments. */
  async route(endpoint: string, deployments: readonly string[]): Promise<void> {
    const path = `${await this.#endpointPath(endpoint)}?updateMask=trafficSplit`
    const trafficSplit = deployments.map((deploymentId) => ({ deploymentId, weight: 1 }))
    await this.wire.repeatable("PATCH", path, endpointSchema, { trafficSplit })
  }

  /** Told to serve on no machine any more: it drains, and then stops. */
  async stop(endpoint: string, id: string): Promise<Deployed> {
    const path = `${await this.#deploymentPath(endpoint, id)}?updateMask=autoscaling`
    const body = { autoscaling: { minReplicas: 0, maxReplicas: 0 } }
    return deployedOf(await this.wire.repeatable("PATCH", path, deploymentSchema, body))
  }

  async removeDeployment(endpoint: string, id: string): Promise<void> {
    await this.wire.remove(await this.#deploymentPath(endpoint, id))
  }

  async removeEndpoint(id: string): Promise<void> {
    await this.wire.remove(await this.#endpointPath(id))
  }

  /** A model of the project's registry: its path, and that of its base. */
  async model(id: string): Promise<{ readonly path: string; readonly base: string | undefined } | undefined> {
    const path = `projects/${await this.project()}/models/${id}`
    const model = await orNothing(this.wire.get(`/v2/${path}`, modelSchema))
    return model && { path, base: model.baseModel || undefined }
  }

  /** The path of a model that the service has itself, by its name; undefined where it does not serve it. */
  async catalogued(name: string): Promise<string | undefined> {
    const schema = z.looseObject({ name: z.string(), baseModel: text })
    const found = await this.#all("/v2/supported-models", schema, { search: name, product: "PRODUCT_DEDICATED" })
    return found.find((model) => model.name === name)?.baseModel || undefined
  }

  /** The ways in which a model of that path can be served. */
  async configs(referenceModel: string): Promise<Config[]> {
    return this.#all(await this.#inProject("/configs"), configSchema, { referenceModel })
  }

  machines(): Promise<Machine[]> {
    return this.#all("/v2/public/inference-instance-types", machineSchema)
  }

  async #ownProject(): Promise<string> {
    const { project } = await this.wire.get("/v3/whoami", whoSchema)
    if (project != null) return project.id
    throw new ToolkitError("the key is of no project of Together's, where models are deployed", {
      code: "unsupported",
      exitCode: 2,
      hint: "Use a project's key, or set projectId in the backend's options.",
    })
  }

  async #inProject(path: string): Promise<string> {
    return `/v2/projects/${encodeURIComponent(await this.project())}${path}`
  }

  #endpointPath(id: string): Promise<string> {
    return this.#inProject(`/endpoints/${encodeURIComponent(id)}`)
  }

  async #deploymentPath(endpoint: string, id: string): Promise<string> {
    return `${await this.#endpointPath(endpoint)}/deployments/${encodeURIComponent(id)}`
  }

  async #all<Value>(path: string, schema: z.ZodType<Value>, query: Record<string, string> = {}): Promise<Value[]> {
    const page = z.looseObject({ data: z.array(schema).nullish(), next_cursor: text })
    const found: Value[] = []
    for (let after: string | undefined; ; ) {
      const words = new URLSearchParams({ ...query, ...(after === undefined ? {} : { after }) }).toString()
      const { data, next_cursor: next } = await this.wire.get(words === "" ? path : `${path}?${words}`, page)
      found.push(...(data ?? []))
      if (!next || next === after) return found
      after = next
    }
  }
}

const creating = { what: "a deployment", aboutToCreate: () => undefined }

/** The endpoint's name without its project's. */
export function bareName({ name }: Endpoint): string {
  return name.slice(name.lastIndexOf("/") + 1)
}

/** The summaries in a list, in the form of deployments. */
export function summaries({ deployments }: Endpoint): Deployed[] {
  return (deployments ?? []).map(({ state, readyReplicas, ...summary }) =>
    deployedOf({ ...summary, status: { state, readyReplicas } }),
  )
}

function deployedOf({ id, hardware, status }: z.output<typeof deploymentSchema>): Deployed {
  return {
    id,
    state: (status?.state ?? "").replace(/^DEPLOYMENT_STATE_/, ""),
    readyReplicas: status?.readyReplicas ?? 0,
    hardware: hardware ?? undefined,
  }
}

/** What is not there is nothing. */
export async function orNothing<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof ProviderError && error.status === 404) return undefined
    throw error
  }
}
