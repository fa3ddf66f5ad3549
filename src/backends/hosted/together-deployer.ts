import type { Deployer, DeploymentOrder, DeploymentState, StandingDeployment } from "../../core/contracts/deployment.ts"
import { JobMayExistError, ProviderError } from "../../core/errors.ts"
import type { LeasedDeployment } from "../../core/training/lease.ts"
import type { ModelRef } from "../../core/training/model-ref.ts"
import { isEarlier, type EarlierEndpoints } from "./together-earlier-endpoints.ts"
import { bareName, type Deployed, type Endpoint, summaries, type TogetherEndpoints } from "./together-endpoints.ts"
import type { TogetherJobs } from "./together-jobs.ts"
import { offersFor, registeredModel } from "./together-offers.ts"

const states: Readonly<Record<string, DeploymentState>> = {
  READY: "ready",
  STOPPING: "stopping",
  STOPPED: "stopped",
  FAILED: "failed",
}

/** After so long without a question the service stops what was deployed, whatever became of us; it takes no less. */
const idleMinutes = { shortest: 30, longest: 60 }

interface Parts {
  readonly jobs: TogetherJobs
  readonly endpoints: TogetherEndpoints
  readonly earlier: EarlierEndpoints
  /** For how long a list may lag behind. */
  readonly settleMs: number
}

/**
 * Together's dedicated endpoints (v2). An endpoint is a name, costs nothing, and carries the lease's key; what is
 * deployed under it is one machine for one model, billed by the minute from its start, asked or not. Where there is no
 * endpoint, nothing can be deployed under it any more: it goes last.
 */
export function togetherDeployer(parts: Parts): Deployer {
  const { jobs, endpoints, earlier } = parts
  return {
    offers: async (baseModel, model) => {
      if (model !== undefined) return offersFor(endpoints, (await registeredModel(jobs, endpoints, model)).references)
      const reference = await endpoints.catalogued(baseModel)
      return reference === undefined ? [] : offersFor(endpoints, [reference])
    },
    deploy: (model, order) => deploy(parts, model, order),
    findDeployment: (key, askedAt) => findDeployment(parts, key, askedAt),
    deploymentState: async ({ id }) => (isEarlier(id) ? earlier.state(id) : stateAt(endpoints, id)),
    undeploy: async ({ id }) => {
      if (!isEarlier(id)) return undeploy(endpoints, id)
      await earlier.remove(id)
      return "gone"
    },
    deployments: async () => [...(await endpoints.endpoints()).flatMap(standing), ...(await earlier.standing())],
  }
}

async function deploy(
  { jobs, endpoints }: Parts,
  model: ModelRef,
  { key, config, minutes }: DeploymentOrder,
): Promise<LeasedDeployment> {
  const { path } = await registeredModel(jobs, endpoints, model)
  const endpoint = await endpoints.createEndpoint(nameFor(key))
  const body = {
    ...{ name: "tuned", model: path, config, autoscaling: { minReplicas: 1, maxReplicas: 1 } },
    inactiveTimeout: Math.max(idleMinutes.shortest, Math.min(idleMinutes.longest, Math.ceil(minutes))),
  }
  let deployment: Deployed
  try {
    deployment = await endpoints.createDeployment(endpoint.id, body)
  } catch (error) {
    // What stays behind of a refusal is a name that costs nothing.
    if (!(error instanceof JobMayExistError)) await endpoints.removeEndpoint(endpoint.id).catch(() => undefined)
    throw error
  }
  try {
    await endpoints.route(endpoint.id, [deployment.id])
  } catch (error) {
    throw new JobMayExistError(`it was deployed, and is not routed to: ${(error as Error).message}`, {
      provider: "together",
    })
  }
  return leased(endpoint, deployment)
}

/** What was made is routed to, where a crash came between. An endpoint without a deployment is all that is left. */
async function findDeployment(
  { endpoints, settleMs }: Parts,
  key: string,
  askedAt: string,
): Promise<LeasedDeployment | undefined> {
  const endpoint = await endpoints.named(nameFor(key))
  const [deployment] = endpoint === undefined ? [] : await endpoints.deployments(endpoint.id)
  if (deployment === undefined) requireSettled(endpoints, askedAt, settleMs)
  if (endpoint === undefined) return undefined
  const routed = endpoint.trafficSplit ?? []
  if (deployment !== undefined && !routed.some(({ deploymentId }) => deploymentId === deployment.id))
    await endpoints.route(endpoint.id, [deployment.id])
  return leased(endpoint, deployment)
}

async function stateAt(endpoints: TogetherEndpoints, id: string): Promise<DeploymentState> {
  const { endpoint, deployment } = partsOf(id)
  const found =
    deployment === undefined
      ? (await endpoints.endpoint(endpoint)) && (await endpoints.deployments(endpoint))[0]
      : await endpoints.deployment(endpoint, deployment)
  if (found !== undefined) return stateOf(found)
  // The name may be left, which costs nothing.
  return (await endpoints.endpoint(endpoint)) === undefined ? "gone" : "stopped"
}

/**
 * One step of the tearing down: each deployment is told to stop; when all have, they go, and then the endpoint. One
 * that turned up late is among them.
 */
async function undeploy(endpoints: TogetherEndpoints, id: string): Promise<DeploymentState> {
  const names = partsOf(id)
  const endpoint = await endpoints.endpoint(names.endpoint)
  if (endpoint === undefined) return "gone"
  const listed = await endpoints.deployments(endpoint.id)
  // A list may lag behind.
  const isListed = names.deployment === undefined || listed.some((deployment) => deployment.id === names.deployment)
  const unlisted = isListed ? undefined : await endpoints.deployment(endpoint.id, names.deployment)
  const left: Deployed[] = []
  for (const deployment of [...listed, ...(unlisted === undefined ? [] : [unlisted])])
    left.push(await stopped(endpoints, endpoint, deployment))
  if (!left.every(isIdle)) return "stopping"
  if ((endpoint.trafficSplit ?? []).length > 0) await endpoints.route(endpoint.id, [])
  for (const deployment of left) await endpoints.removeDeployment(endpoint.id, deployment.id)
  await endpoints.removeEndpoint(endpoint.id)
  return "gone"
}

async function stopped(endpoints: TogetherEndpoints, endpoint: Endpoint, deployment: Deployed): Promise<Deployed> {
  const state = stateOf(deployment)
  return state === "stopped" || state === "stopping" ? deployment : endpoints.stop(endpoint.id, deployment.id)
}

function isIdle(deployment: Deployed): boolean {
  return ["stopped", "failed"].includes(stateOf(deployment))
}

/** A word that nobody knows is no end: it may bill. One whose machine answers does so, whatever else goes on. */
function stateOf({ state, readyReplicas }: Deployed): DeploymentState {
  if (Object.hasOwn(states, state)) return states[state] as DeploymentState
  return readyReplicas > 0 ? "ready" : "starting"
}

/** An endpoint without a deployment bills nothing. */
function standing(endpoint: Endpoint): StandingDeployment[] {
  const key = /^tuneloop-([0-9a-f]{16})$/.exec(bareName(endpoint))?.[1]
  return summaries(endpoint).map((deployment) => ({
    ...leased(endpoint, deployment),
    ...{ state: stateOf(deployment), providerStatus: deployment.state, hardware: deployment.hardware },
    key: key && `lease_${key}`,
  }))
}

function leased({ id, name }: Endpoint, deployment: Deployed | undefined): LeasedDeployment {
  return { backend: "together", id: deployment === undefined ? id : `${id}/${deployment.id}`, model: name }
}

function partsOf(id: string): { readonly endpoint: string; readonly deployment: string | undefined } {
  const [endpoint = "", deployment] = id.split("/")
  return { endpoint, deployment }
}

/** A name for which no letter is in doubt: small letters, digits and hyphens. */
function nameFor(key: string): string {
  return key.replace(/^lease_/, "tuneloop-")
}

function requireSettled({ wire }: TogetherEndpoints, askedAt: string, settleMs: number): void {
  const youngMs = Math.abs(wire.now().getTime() - Date.parse(askedAt))
  if (youngMs >= settleMs) return
  throw new ProviderError("the deployment is not in the service's list, which may lag behind", {
    provider: "together",
    retryAfterMs: settleMs - youngMs,
    isRetryable: true,
    hint: `Ask again in ${Math.ceil((settleMs - youngMs) / 1000)} s.`,
  })
}
