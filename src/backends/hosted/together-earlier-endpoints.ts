import { z } from "zod"
import type { DeploymentState, StandingDeployment } from "../../core/contracts/deployment.ts"
import { ProviderError } from "../../core/errors.ts"
import { orNothing } from "./together-endpoints.ts"
import type { HostedWire } from "./wire.ts"

const text = z.string().nullish()

const endpointSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  display_name: text,
  hardware: text,
  state: z.string(),
})
type Endpoint = z.output<typeof endpointSchema>

const states: Readonly<Record<string, DeploymentState>> = {
  PENDING: "starting",
  STARTING: "starting",
  STARTED: "ready",
  STOPPING: "stopping",
  STOPPED: "stopped",
  ERROR: "failed",
  FAILED: "failed",
}

/** Whether it was made by the first version of Together's endpoints. */
export function isEarlier(id: string): boolean {
  return id.startsWith("endpoint-")
}

/**
 * What stands of the first version of Together's endpoints, which makes no new ones: it bills until it is ended.
 */
export class EarlierEndpoints {
  readonly #wire: HostedWire

  constructor(wire: HostedWire) {
    this.#wire = wire
  }

  async state(id: string): Promise<DeploymentState> {
    const endpoint = await this.#endpoint(id)
    return endpoint === undefined ? "gone" : stateOf(endpoint)
  }

  remove(id: string): Promise<void> {
    return this.#wire.remove(path(id))
  }

  /** Nothing where the service has this version no more. */
  async standing(): Promise<StandingDeployment[]> {
    const schema = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) })
    const list = await this.#wire.get("/endpoints?type=dedicated&mine=true", schema).catch((error: unknown) => {
      if (error instanceof ProviderError && [403, 404, 410].includes(error.status ?? 0)) return { data: [] }
      throw error
    })
    // A list leaves out what an endpoint was called when it was made.
    const found = await Promise.all(list.data.map(({ id }) => this.#endpoint(id)))
    return found.flatMap((endpoint) => (endpoint === undefined ? [] : [standing(endpoint)]))
  }

  #endpoint(id: string): Promise<Endpoint | undefined> {
    return orNothing(this.#wire.get(path(id), endpointSchema))
  }
}

function path(id: string): string {
  return `/endpoints/${encodeURIComponent(id)}`
}

function standing(endpoint: Endpoint): StandingDeployment {
  const { id, name, state, display_name: label, hardware } = endpoint
  return {
    ...{ backend: "together", id, model: name, state: stateOf(endpoint), providerStatus: state },
    key: /^tuneloop (lease_[0-9a-f]{16})$/.exec(label ?? "")?.[1],
    hardware: hardware ?? undefined,
  }
}

/** A word that nobody knows is no end: it may bill. */
function stateOf({ state }: Endpoint): DeploymentState {
  return Object.hasOwn(states, state) ? (states[state] as DeploymentState) : "starting"
}
