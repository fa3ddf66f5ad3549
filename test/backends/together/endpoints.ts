import type { IncomingMessage } from "node:http"
import type { Answer } from "../wire-server.ts"
import { refused } from "./files.ts"

/** A dedicated endpoint as the server keeps it. */
export interface ServedEndpoint {
  readonly id: string
  readonly name: string
  readonly display_name: string
  readonly model: string
  readonly hardware: string
  readonly inactive_timeout: number | null
  readonly created_at: string
  state: string
  looksLeft: number
}

interface Call {
  readonly request: IncomingMessage
  /** The parts of the path below `endpoints`. */
  readonly path: readonly string[]
  readonly body: Buffer
}

/**
 * Together's dedicated endpoints (docs.together.ai/reference/createendpoint and listhardware, 2026-04-28): they take
 * time to start, may fail, bill from their creation until they are stopped or deleted, and answer only while they are
 * started. A list leaves out their display names, as the service's does.
 */
export class TogetherEndpoints {
  /** All that were ever made. */
  readonly made: ServedEndpoint[] = []
  readonly #deleted = new Set<string>()
  /** How often a new endpoint is looked at before it is started. */
  patience = 0
  /** How new endpoints end up. */
  fate: "STARTED" | "ERROR" = "STARTED"
  /** Whether new endpoints are missing from lists. */
  isLagging = false
  /** What can be had, by cents a minute. */
  hardware: { readonly id: string; readonly cents: number; readonly status: string }[] = [
    { id: "1x_nvidia_h200_140gb_sxm", cents: 8, status: "available" },
    { id: "1x_nvidia_h100_80gb_sxm", cents: 6, status: "available" },
    { id: "1x_nvidia_a100_80gb_sxm", cents: 4, status: "unavailable" },
  ]
  /** What an endpoint answers to the last turn. */
  answer = (_question: string): string => "good"

  /** Those that bill. */
  get billing(): readonly ServedEndpoint[] {
    return this.made.filter(({ id, state }) => !this.#deleted.has(id) && state !== "STOPPED")
  }

  /** As the service does with one that nobody asked for a while. */
  stopIdle(): void {
    for (const endpoint of this.billing) endpoint.state = "STOPPED"
  }

  hardwareFor(model: string | null, bases: readonly string[]): Answer {
    if (model === null || !bases.includes(model)) return refused(404, `no hardware for ${model}`)
    const data = this.hardware.map(({ id, cents, status }) => ({
      ...{ object: "hardware", id, pricing: { cents_per_minute: cents }, updated_at: "2026-06-01T08:00:00Z" },
      ...{ specs: { gpu_type: "h100", gpu_link: "sxm", gpu_memory: 80, gpu_count: 1 }, availability: { status } },
    }))
    return { status: 200, body: { object: "list", data } }
  }

  /** `models`: the names of what can be deployed. */
  answerTo({ request, path: [id], body }: Call, models: readonly string[]): Answer {
    if (id === undefined && request.method === "POST") return this.#create(JSON.parse(body.toString("utf8")), models)
    if (id === undefined) return { status: 200, body: { object: "list", data: this.#there().map(listed) } }
    const endpoint = this.made.find((candidate) => candidate.id === id && !this.#deleted.has(id))
    if (endpoint === undefined) return refused(404, `endpoint ${id} not found`)
    if (request.method === "DELETE") {
      this.#deleted.add(id)
      return { status: 204, body: Buffer.alloc(0) }
    }
    this.#look(endpoint)
    return { status: 200, body: shown(endpoint) }
  }

  /** A question to an endpoint by its name. */
  chat(body: Buffer): Answer {
    const { model, messages } = JSON.parse(body.toString("utf8")) as { model: string; messages: { content: string }[] }
    const endpoint = this.billing.find(({ name }) => name === model)
    if (endpoint?.state !== "STARTED") return refused(404, `${model} is not available`)
    const message = { role: "assistant", content: this.answer(messages.at(-1)?.content ?? "") }
    return {
      status: 200,
      body: {
        ...{ id: "chat-1", object: "chat.completion", created: 1, model },
        choices: [{ index: 0, finish_reason: "stop", message }],
        usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
      },
    }
  }

  #there(): ServedEndpoint[] {
    return this.isLagging ? [] : this.made.filter(({ id }) => !this.#deleted.has(id))
  }

  #create(request: Record<string, unknown>, models: readonly string[]): Answer {
    const { model, hardware, display_name, autoscaling, inactive_timeout } = request
    if (!models.includes(String(model))) return refused(400, `model ${String(model)} cannot be deployed`)
    if (!this.hardware.some(({ id, status }) => id === hardware && status === "available"))
      return refused(400, `hardware ${String(hardware)} is not available`)
    if (typeof (autoscaling as { min_replicas?: unknown } | undefined)?.min_replicas !== "number")
      return refused(400, "autoscaling is missing")
    const number = this.made.length + 1
    const endpoint: ServedEndpoint = {
      id: `endpoint-${number}`,
      name: `org/${String(model)}-${number}a32b82a`,
      display_name: String(display_name ?? ""),
      ...{ model: String(model), hardware: String(hardware), created_at: "2026-06-01T09:00:00Z" },
      inactive_timeout: (inactive_timeout ?? null) as number | null,
      ...{ state: "PENDING", looksLeft: this.patience },
    }
    this.made.push(endpoint)
    return { status: 200, body: shown(endpoint) }
  }

  /** It goes on by being looked at. */
  #look(endpoint: ServedEndpoint): void {
    if (endpoint.state !== "PENDING" && endpoint.state !== "STARTING") return
    endpoint.state = endpoint.looksLeft === 0 ? this.fate : "STARTING"
    endpoint.looksLeft = Math.max(0, endpoint.looksLeft - 1)
  }
}

function listed({ id, name, model, state, created_at }: ServedEndpoint): object {
  return { object: "endpoint", id, name, model, type: "dedicated", owner: "org", state, created_at }
}

function shown(endpoint: ServedEndpoint): object {
  const { display_name, hardware } = endpoint
  return { ...listed(endpoint), display_name, hardware, autoscaling: { min_replicas: 1, max_replicas: 1 } }
}
