import type { IncomingMessage } from "node:http"
import type { Answer } from "../wire-server.ts"
import { refused } from "./files.ts"
import { configsFor, registered } from "./registry.ts"
import type { ServedTogetherJob } from "./served.ts"

/** A name that questions are sent to; it costs nothing. */
export interface ServedEndpoint {
  readonly id: string
  readonly name: string
  readonly visibility: string
  trafficSplit: { readonly deploymentId: string; readonly weight: number }[]
}

/** What serves a model under a name, and bills. */
export interface ServedDeployment {
  readonly id: string
  readonly endpoint: ServedEndpoint
  readonly name: string
  readonly model: string
  readonly config: string
  readonly hardware: string
  readonly inactiveTimeout: number
  autoscaling: { readonly minReplicas: number; readonly maxReplicas: number }
  state: string
  looksLeft: number
}

interface Call {
  readonly request: IncomingMessage
  /** The parts of the path below `endpoints`. */
  readonly path: readonly string[]
  readonly url: URL
  readonly body: Buffer
}

export const project = "proj_tests"
const at = "2026-06-01T09:00:00Z"

/**
 * Together's endpoints and deployments (docs.together.ai/docs/dedicated-endpoints/manage, the types of together 3.1.1):
 * an endpoint is a name that is free once; a deployment under it takes time to start, may fail, bills until it has
 * stopped, drains when it is told to, and answers only while it is ready and has a share of the traffic. It goes only
 * when it has stopped and has none, and an endpoint only when nothing is under it. Lists come in pages, newest first.
 */
export class TogetherEndpoints {
  /** All deployments that were ever made, and all endpoints. */
  readonly made: ServedDeployment[] = []
  readonly names: ServedEndpoint[] = []
  readonly #deleted = new Set<string>()
  /** How often a new deployment is looked at before it is ready, and one that drains before it has stopped. */
  patience = 0
  drain = 0
  /** How new deployments end up. */
  fate: "READY" | "FAILED" = "READY"
  /** Whether new ones are missing from lists. */
  isLagging = false
  pageLimit = 50
  /** What an endpoint answers to the last turn. */
  answer = (_question: string): string => "good"

  /** Those that bill. */
  get billing(): readonly ServedDeployment[] {
    return this.made.filter(({ id, state }) => !this.#deleted.has(id) && state !== "STOPPED")
  }

  /** The endpoints that are there. */
  get standing(): readonly ServedEndpoint[] {
    return this.names.filter(({ id }) => !this.#deleted.has(id))
  }

  /** As the service does with one that nobody asked for a while. */
  stopIdle(): void {
    for (const deployment of this.billing) deployment.state = "STOPPED"
  }

  answerTo(call: Call, jobs: readonly ServedTogetherJob[]): Answer {
    const { request, path, url, body } = call
    const [id, , deployment] = path
    const said = body.length === 0 ? {} : (JSON.parse(body.toString("utf8")) as Record<string, unknown>)
    if (id === undefined && request.method === "POST") return this.#createEndpoint(said)
    if (id === undefined) return this.#page(this.#listed(url), url)
    const endpoint = this.standing.find((candidate) => candidate.id === id)
    if (endpoint === undefined) return refused(404, `endpoint ${id} not found`)
    if (path.length === 1) return this.#onEndpoint(endpoint, request.method, said)
    if (deployment === undefined && request.method === "POST") return this.#createDeployment(endpoint, said, jobs)
    if (deployment === undefined)
      return this.#page(this.isLagging ? [] : this.#under(endpoint).map((each) => this.#shown(each)), url)
    const found = this.#under(endpoint).find((candidate) => candidate.id === deployment)
    if (found === undefined) return refused(404, `deployment ${deployment} not found`)
    return this.#onDeployment(found, request.method, said)
  }

  /** A question to an endpoint by its name, at the address for questions. */
  chat(body: Buffer): Answer | undefined {
    const { model, messages } = JSON.parse(body.toString("utf8")) as { model: string; messages: { content: string }[] }
    const endpoint = this.standing.find(({ name }) => name === model)
    if (endpoint === undefined) return undefined
    const routed = endpoint.trafficSplit.filter(({ weight }) => weight > 0).map(({ deploymentId }) => deploymentId)
    const ready = this.#under(endpoint).find(({ id, state }) => routed.includes(id) && state === "READY")
    if (ready === undefined) return refused(400, `endpoint_not_configured: ${model}`)
    return chatAnswer(model, this.answer(messages.at(-1)?.content ?? ""))
  }

  #onEndpoint(endpoint: ServedEndpoint, method: string | undefined, said: Record<string, unknown>): Answer {
    if (method === "DELETE") {
      if (this.#under(endpoint).length > 0) return refused(400, "the endpoint has deployments")
      this.#deleted.add(endpoint.id)
      return { status: 200, body: {} }
    }
    if (method === "PATCH" && Array.isArray(said["trafficSplit"])) {
      const split = said["trafficSplit"] as ServedEndpoint["trafficSplit"]
      const known = this.#under(endpoint).map(({ id }) => id)
      if (!split.every(({ deploymentId }) => known.includes(deploymentId))) return refused(400, "no such deployment")
      endpoint.trafficSplit = split.filter(({ weight }) => weight > 0)
    }
    return { status: 200, body: this.#shownEndpoint(endpoint) }
  }

  #onDeployment(deployment: ServedDeployment, method: string | undefined, said: Record<string, unknown>): Answer {
    const { id, endpoint } = deployment
    if (method === "DELETE") {
      if (endpoint.trafficSplit.some(({ deploymentId }) => deploymentId === id))
        return refused(400, "the deployment is referenced by an endpoint's traffic split and cannot be deleted")
      if (!["STOPPED", "FAILED"].includes(deployment.state)) return refused(400, "the deployment is not stopped")
      this.#deleted.add(id)
      return { status: 200, body: {} }
    }
    const bounds = said["autoscaling"] as Partial<ServedDeployment["autoscaling"]> | undefined
    if (method === "PATCH" && bounds !== undefined) {
      const { minReplicas = 1, maxReplicas = minReplicas } = bounds
      if (minReplicas === 0 && maxReplicas > 0) return refused(400, "a minimum of 0 takes a maximum of 0")
      deployment.autoscaling = { minReplicas, maxReplicas }
      if (maxReplicas === 0 && deployment.state !== "STOPPED")
        Object.assign(deployment, { state: this.drain === 0 ? "STOPPED" : "STOPPING", looksLeft: this.drain })
    } else this.#look(deployment)
    return { status: 200, body: this.#shown(deployment) }
  }

  #createEndpoint({ name, visibility = "VISIBILITY_PRIVATE" }: Record<string, unknown>): Answer {
    const bare = String(name)
    if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(bare)) return refused(400, `the name ${bare} is not allowed`)
    if (this.standing.some((endpoint) => endpoint.name === `org/${bare}`)) return refused(409, `${bare} exists`)
    const id = `ep_${this.names.length + 1}`
    const endpoint = { id, name: `org/${bare}`, visibility: String(visibility), trafficSplit: [] }
    this.names.push(endpoint)
    return { status: 200, body: this.#shownEndpoint(endpoint) }
  }

  #createDeployment(
    endpoint: ServedEndpoint,
    { name, model, config, autoscaling, inactiveTimeout = 0 }: Record<string, unknown>,
    jobs: readonly ServedTogetherJob[],
  ): Answer {
    const weights = registered(String(model), jobs)
    if (weights === undefined) return refused(400, `model ${String(model)} has no revisions to deploy`)
    const found = configsFor(weights.base).find(({ path }) => path === config)
    if (found === undefined) return refused(400, `config ${String(config)} is not compatible with the model`)
    const { minReplicas, maxReplicas = minReplicas } = (autoscaling ?? {}) as Partial<ServedDeployment["autoscaling"]>
    if (minReplicas === undefined || maxReplicas === undefined) return refused(400, "autoscaling is missing")
    const minutes = Number(inactiveTimeout)
    if (minutes !== 0 && (minutes < 30 || minutes > 1440)) return refused(400, "inactiveTimeout is 0 or 30 to 1440")
    const deployment: ServedDeployment = {
      id: `dep_${this.made.length + 1}`,
      ...{ endpoint, name: `${endpoint.name}/${String(name)}`, model: weights.path, config: found.path },
      ...{ hardware: found.hardware, inactiveTimeout: minutes, autoscaling: { minReplicas, maxReplicas } },
      ...{ state: "PROVISIONING", looksLeft: this.patience },
    }
    this.made.push(deployment)
    return { status: 200, body: this.#shown(deployment) }
  }

  #under(endpoint: ServedEndpoint): ServedDeployment[] {
    return this.made.filter((deployment) => deployment.endpoint === endpoint && !this.#deleted.has(deployment.id))
  }

  /** It goes on by being looked at. */
  #look(deployment: ServedDeployment): void {
    const { state, looksLeft } = deployment
    if (!["PROVISIONING", "SCALING", "STOPPING"].includes(state)) return
    const end = state === "STOPPING" ? "STOPPED" : this.fate
    deployment.state = looksLeft === 0 ? end : state === "STOPPING" ? state : "SCALING"
    deployment.looksLeft = Math.max(0, looksLeft - 1)
  }

  #listed(url: URL): object[] {
    const filter = url.searchParams.get("filter")
    const name = filter === null ? undefined : /^name="(.*)"$/.exec(filter)?.[1]
    const found = this.standing.filter(
      (each) => name === undefined || each.name === name || each.name === `org/${name}`,
    )
    return this.isLagging ? [] : found.toReversed().map((each) => this.#shownEndpoint(each))
  }

  #page(data: readonly object[], { searchParams }: URL): Answer {
    const from = Number(searchParams.get("after") ?? 0)
    const to = from + Math.min(this.pageLimit, Number(searchParams.get("limit") ?? 50))
    const next = to < data.length ? { next_cursor: String(to) } : {}
    return { status: 200, body: { object: "list", data: data.slice(from, to), ...next } }
  }

  #shownEndpoint(endpoint: ServedEndpoint): object {
    const deployments = this.#under(endpoint).map((deployment) => {
      const { status, ...shown } = this.#shown(deployment) as { status: { readyReplicas: number } }
      const state = `DEPLOYMENT_STATE_${deployment.state}`
      return { ...shown, state, readyReplicas: status.readyReplicas, estimatedEffectiveTrafficShare: 0 }
    })
    return {
      ...{ ...endpoint, projectId: project, endpointType: "ENDPOINT_TYPE_DEDICATED", etag: "1" },
      ...{ deployments: deployments.toReversed().slice(0, 10), createdAt: at, updatedAt: at, aFieldNobodyKnows: null },
    }
  }

  #shown({ endpoint, state, looksLeft: _looks, ...deployment }: ServedDeployment): object {
    const [, , , modelId, , modelRevisionId] = deployment.model.split("/")
    const readyReplicas = state === "READY" ? 1 : 0
    return {
      ...{ ...deployment, modelId, modelRevisionId, configId: deployment.config.split("/").at(-1) },
      ...{ endpointId: endpoint.id, projectId: project, etag: "1", createdAt: at, updatedAt: at },
      ...{ trafficMode: "TRAFFIC_MODE_LIVE", desiredReplicas: deployment.autoscaling.maxReplicas, placement: null },
      status: { state: `DEPLOYMENT_STATE_${state}`, message: "as it is", readyReplicas, scheduledReplicas: 1 },
    }
  }
}

export function chatAnswer(model: string, content: string): Answer {
  return {
    status: 200,
    body: {
      ...{ id: "chat-1", object: "chat.completion", created: 1, model, prompt: [] },
      choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }],
      usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
    },
  }
}
