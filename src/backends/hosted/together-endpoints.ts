import { z } from "zod"
import type {
  Deployer,
  DeploymentOrder,
  DeploymentState,
  ServingOffer,
  StandingDeployment,
} from "../../core/contracts/deployment.ts"
import { ProviderError } from "../../core/errors.ts"
import type { LeasedDeployment } from "../../core/training/lease.ts"
import type { ModelRef } from "../../core/training/model-ref.ts"
import type { HostedWire } from "./wire.ts"

const text = z.string().nullish()

const endpointSchema = z.looseObject({
  id: z.string(),
  /** What a question names as its model. */
  name: z.string(),
  display_name: text,
  model: text,
  hardware: text,
  state: z.string(),
  created_at: text,
})
type Endpoint = z.output<typeof endpointSchema>

const hardwareSchema = z.looseObject({
  id: z.string(),
  pricing: z.looseObject({ cents_per_minute: z.number() }).nullish(),
  availability: z.looseObject({ status: text }).nullish(),
  updated_at: text,
})

const states: Readonly<Record<string, DeploymentState>> = {
  PENDING: "starting",
  STARTING: "starting",
  STARTED: "ready",
  STOPPING: "stopping",
  STOPPED: "stopped",
  ERROR: "failed",
  FAILED: "failed",
}

/** After so many minutes without a question the service stops what was deployed, whatever became of us. */
const idleMinutes = 60

/**
 * Together's dedicated endpoints: one machine for one model, billed by the minute from its start, asked or not. The
 * wire keeps no metadata, so the display name carries the lease's key; a list leaves that name out.
 */
export function togetherDeployer(wire: HostedWire, settleMs: number): Deployer {
  const listed = () => deployments(wire)
  return {
    offers: (baseModel) => offers(wire, baseModel),
    deploy: (model, order) => deploy(wire, model, order),
    findDeployment: async (key, askedAt) => {
      const found = (await listed()).find((deployment) => deployment.key === key)
      if (found === undefined) requireSettled(wire, askedAt, settleMs)
      return found && { backend: found.backend, id: found.id, model: found.model }
    },
    deploymentState: async ({ id }) => {
      const endpoint = await endpointOf(wire, id)
      return endpoint === undefined ? "gone" : stateOf(endpoint)
    },
    undeploy: ({ id }) => wire.remove(`/endpoints/${encodeURIComponent(id)}`),
    deployments: listed,
  }
}

/** The machines that can serve models of the base. One that the service cannot serve is not found there. */
async function offers(wire: HostedWire, baseModel: string): Promise<ServingOffer[]> {
  const path = `/hardware?model=${encodeURIComponent(baseModel)}`
  const { data } = await orNothing(wire.get(path, z.looseObject({ data: z.array(hardwareSchema) })), { data: [] })
  return data
    .flatMap(({ id, pricing, availability, updated_at: updatedAt }) =>
      pricing == null
        ? []
        : [
            {
              hardware: id,
              usdPerHour: Number(((pricing.cents_per_minute * 60) / 100).toFixed(4)),
              asOf: (updatedAt ?? wire.now().toISOString()).slice(0, 10),
              source: `${new URL(wire.service.baseUrl).host}, /hardware`,
              isAvailable: (availability?.status ?? "available") === "available",
            },
          ],
    )
    .sort((a, b) => a.usdPerHour - b.usdPerHour || (a.hardware < b.hardware ? -1 : 1))
}

async function deploy(
  wire: HostedWire,
  model: ModelRef,
  { key, hardware, minutes }: DeploymentOrder,
): Promise<LeasedDeployment> {
  if (model.kind !== "hosted") throw new TypeError(`together deploys models of its own, not a ${model.kind} model`)
  const body = {
    model: model.id,
    hardware,
    display_name: displayName(key),
    autoscaling: { min_replicas: 1, max_replicas: 1 },
    inactive_timeout: Math.max(1, Math.min(idleMinutes, Math.ceil(minutes))),
  }
  const endpoint = await wire.create("/endpoints", body, endpointSchema, {
    what: "a deployment",
    aboutToCreate: () => undefined,
  })
  return { backend: "together", id: endpoint.id, model: endpoint.name }
}

async function deployments(wire: HostedWire): Promise<StandingDeployment[]> {
  const path = "/endpoints?type=dedicated&mine=true"
  const list = await wire.get(path, z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) }))
  const found = await Promise.all(list.data.map(({ id }) => endpointOf(wire, id)))
  return found.flatMap((endpoint) => (endpoint === undefined ? [] : [standing(endpoint)]))
}

function standing(endpoint: Endpoint): StandingDeployment {
  return {
    backend: "together",
    id: endpoint.id,
    model: endpoint.name,
    state: stateOf(endpoint),
    providerStatus: endpoint.state,
    key: keyIn(endpoint.display_name),
    hardware: endpoint.hardware ?? undefined,
  }
}

/** A word that nobody knows is no end: it may bill. */
function stateOf({ state }: Endpoint): DeploymentState {
  return Object.hasOwn(states, state) ? (states[state] as DeploymentState) : "starting"
}

function endpointOf(wire: HostedWire, id: string): Promise<Endpoint | undefined> {
  return orNothing(wire.get(`/endpoints/${encodeURIComponent(id)}`, endpointSchema), undefined)
}

/** What is not there is nothing. */
async function orNothing<Value, Nothing>(asked: Promise<Value>, nothing: Nothing): Promise<Value | Nothing> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof ProviderError && error.status === 404) return nothing
    throw error
  }
}

function displayName(key: string): string {
  return `tuneloop ${key}`
}

function keyIn(name: string | null | undefined): string | undefined {
  return /^tuneloop (lease_[0-9a-f]{16})$/.exec(name ?? "")?.[1]
}

function requireSettled(wire: HostedWire, askedAt: string, settleMs: number): void {
  const youngMs = Math.abs(wire.now().getTime() - Date.parse(askedAt))
  if (youngMs >= settleMs) return
  throw new ProviderError("the deployment is not in the service's list, which may lag behind", {
    provider: "together",
    retryAfterMs: settleMs - youngMs,
    isRetryable: true,
    hint: `Ask again in ${Math.ceil((settleMs - youngMs) / 1000)} s.`,
  })
}
