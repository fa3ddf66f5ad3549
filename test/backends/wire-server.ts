import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface Answer {
  readonly status: number
  /** Sent as JSON, bytes as they are; a function writes it by itself, and ends it when it likes. */
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** What happens to a call, once: the work is done or not, and then this is what comes back. */
export interface Fault {
  readonly call: RegExp
  /** `before`: nothing is done. `after`: the work is done, and the answer is spoilt. */
  readonly when: "before" | "after"
  readonly answer:
    | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
    | "cut"
    /** The first half of the answer, and then an end of the connection as of a whole one. */
    | "truncated"
    /** In two halves, some time apart. */
    | "slow"
    /** All is null but ids and states. */
    | "nulls"
    /** Nothing is answered until `release`. */
    | "held"
}

/** Whether each line of a training file is a preference: a question and one answer of the assistant each. */
export function arePreferences(content: Buffer): boolean {
  const isAnswer = (turns: unknown) => Array.isArray(turns) && turns.length === 1 && turns[0].role === "assistant"
  return content
    .toString("utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
    .every((row) => {
      const { input, preferred_output: preferred, non_preferred_output: other } = row
      return input?.messages?.length > 0 && isAnswer(preferred) && isAnswer(other)
    })
}

/** A service on this machine that keeps state, notes every call, and misbehaves when it is told to. */
export abstract class WireServer {
  readonly calls: string[] = []
  readonly faults: Fault[] = []
  /** Of no form by which a key would be known: only whoever has it can hide it. */
  readonly key: string = "0123456789abcdef0123456789abcdef"
  /** Whether calls are answered at all. */
  isReachable = true
  /** Called for each call when it has arrived and, for one that is held, has got as far as it will. */
  onCall: (call: string) => void = () => undefined
  readonly #held: (() => void)[] = []
  readonly #server: Server = createServer()

  protected abstract answerTo(call: string, request: IncomingMessage, body: Buffer): Promise<Answer>

  protected async listen(): Promise<void> {
    this.#server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = []
      request.on("error", () => undefined)
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => void this.#take(request, Buffer.concat(chunks), response))
    })
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done))
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`
  }

  close(): void {
    this.release()
    this.#server.closeAllConnections()
    this.#server.close()
  }

  /** Lets calls that are held be answered. */
  release(): void {
    for (const answer of this.#held.splice(0)) answer()
  }

  /** Resolves when the call has arrived, after what its fault says. */
  arrival(call: RegExp): Promise<void> {
    return new Promise((resolve) => {
      this.onCall = (arrived) => {
        if (call.test(arrived)) resolve()
      }
    })
  }

  async #take(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const call = `${request.method} ${request.url}`
    if (!this.isReachable) return void response.socket?.destroy()
    this.calls.push(call)
    const at = this.faults.findIndex((fault) => fault.call.test(call))
    const fault = at < 0 ? undefined : this.faults.splice(at, 1)[0]
    const isDone = fault?.when !== "before"
    const answer = isDone ? await this.answerTo(call, request, body) : { status: 200, body: {} as unknown }
    const send = () => {
      if (fault !== undefined && fault.answer !== "held") spoil(fault.answer, answer.body, response)
      else write(answer, response)
    }
    // A held call whose work was not done does it now, although nobody may be listening any more.
    if (fault?.answer === "held" && fault.when === "before")
      this.#held.push(() => void this.answerTo(call, request, body).then((late) => write(late, response)))
    else if (fault?.answer === "held") this.#held.push(send)
    else send()
    this.onCall(call)
  }
}

function write({ status, body, headers }: Answer, response: ServerResponse): void {
  if (Buffer.isBuffer(body))
    return void response.writeHead(status, { "content-length": body.length, ...headers }).end(body)
  if (typeof body === "function") return void body(response.writeHead(status, headers))
  response.writeHead(status, { "content-type": "application/json", ...headers })
  response.end(JSON.stringify(body))
}

function spoil(answer: Exclude<Fault["answer"], "held">, body: unknown, response: ServerResponse): void {
  if (answer === "cut") return void response.socket?.destroy()
  if (typeof answer === "string") {
    const text = JSON.stringify(answer === "nulls" ? withNulls(body) : body)
    response.writeHead(200, { "content-type": "application/json" }).write(text.slice(0, text.length / 2))
    if (answer === "truncated") return void response.end()
    return void setTimeout(() => response.end(text.slice(text.length / 2)), slowMs)
  }
  response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers })
  response.end(answer.body ?? JSON.stringify(answer.status === 200 ? body : { error: { message: "oh no" } }))
}

const slowMs = 100

/** Of an object, or of each in a list, only what says which it is and how it is. */
function withNulls(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(withNulls)
  if (typeof body !== "object" || body === null) return body
  const kept = ["id", "object", "status", "stage", "state"]
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      name === "data" ? withNulls(value) : kept.includes(name) ? value : null,
    ]),
  )
}
