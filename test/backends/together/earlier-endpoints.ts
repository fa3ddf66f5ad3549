import type { IncomingMessage } from "node:http"
import type { Answer } from "../wire-server.ts"
import { chatAnswer } from "./endpoints.ts"
import { refused } from "./files.ts"

/** An endpoint of the first version as the server keeps it. */
interface EarlierEndpoint {
  readonly id: string
  readonly name: string
  readonly display_name: string
  state: string
}

/**
 * The first version of Together's endpoints: what stands goes on, and nothing new is made
 * (docs.together.ai/docs/dedicated-endpoints/migrate-from-v1). A list leaves out their display names.
 */
export class EarlierTogetherEndpoints {
  readonly standing: EarlierEndpoint[] = []
  /** Whether the service has this version no more. */
  isGone = false

  answerTo(request: IncomingMessage, id: string | undefined): Answer {
    if (this.isGone) return refused(404, "no such path")
    if (id === undefined && request.method === "POST") return refused(403, "endpoints_v1_create_access_disabled")
    const listed = this.standing.map(({ display_name: _name, ...endpoint }) => ({ object: "endpoint", ...endpoint }))
    if (id === undefined) return { status: 200, body: { object: "list", data: listed } }
    const at = this.standing.findIndex((endpoint) => endpoint.id === id)
    if (at < 0) return refused(404, `endpoint ${id} not found`)
    if (request.method !== "DELETE") return { status: 200, body: this.standing[at] }
    this.standing.splice(at, 1)
    return { status: 204, body: Buffer.alloc(0) }
  }

  chat(model: string): Answer {
    const isThere = this.standing.some(({ name, state }) => name === model && state === "STARTED")
    return isThere ? chatAnswer(model, "good") : refused(404, `${model} is not available`)
  }
}
