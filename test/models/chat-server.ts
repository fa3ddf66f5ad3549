import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/**
 * What the server does with its next request instead of answering. `drop`: no answer; `cut`: half the bytes it
 * announced; `truncated`: half the JSON, as if whole; `page`: a web page; `stall`: half the bytes, and then nothing.
 */
export type Fault =
  | {
      readonly kind: "status"
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly message?: string
      /** The whole body, instead of JSON with the message. */
      readonly body?: string
    }
  | { readonly kind: "drop" | "cut" | "truncated" | "hang" | "page" | "stall" }

export interface Asked {
  readonly body: string
  readonly path: string
  readonly authorization: string | undefined
  /** The header in which Azure wants its key. */
  readonly apiKey: string | undefined
  readonly atMs: number
  answered: boolean
}

/**
 * How a server misbehaves by chance: each with the share of requests that it befalls. What is cut, dropped or truncated
 * is worked on and charged for all the same.
 */
export interface Moods {
  readonly faults: readonly (readonly [share: number, fault: Fault])[]
  /** The longest time that an answer takes. */
  readonly slowestMs: number
  readonly random: () => number
}

/**
 * A chat server on this machine that keeps what it was asked and misbehaves on demand. Equal questions get equal
 * answers: `perRequest` new examples of the label that the question wishes for.
 */
export class ChatServer {
  readonly asked: Asked[] = []
  readonly faults: Fault[] = []
  /** How it behaves when nothing is demanded. */
  moods: Moods | undefined
  /** Whether it takes a request now; what it does not is refused (HTTP 429) with the headers. */
  admits: (asked: Asked) => { readonly isTaken: boolean; readonly headers: Readonly<Record<string, string>> } = () => ({
    isTaken: true,
    headers: {},
  })
  /** Called for each request that arrives. */
  onAsked: (asked: Asked) => void = () => undefined
  /** How many requests a mood befell. */
  befallen = 0
  /** The tokens that it worked for, answered or not. */
  readonly charged = { inputTokens: 0, outputTokens: 0 }
  /** What it says it took. */
  usage: (body: string, text: string) => { readonly prompt_tokens: number; readonly completion_tokens: number } =
    () => ({
      prompt_tokens: 11,
      completion_tokens: 7,
    })
  /** Why an answer ended, by what was asked. */
  finish: (body: string) => string = () => "stop"
  /** The first choice of an answer, with or without a text, by what was asked; the usual one where undefined. */
  choice: (body: string) => object | undefined = () => undefined
  /** Turns the text of every answer into another, or into none. */
  answer: (text: string) => string | null = (text) => text
  private readonly server: Server

  private constructor(server: Server) {
    this.server = server
  }

  /** Listens on the port; 0 takes a free one. */
  static async start(port = 0): Promise<ChatServer> {
    const server = createServer()
    const chat = new ChatServer(server)
    server.on("request", (request: IncomingMessage, response: ServerResponse) => chat.take(request, response))
    await new Promise<void>((done, failed) => server.once("error", failed).listen(port, "127.0.0.1", done))
    return chat
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`
  }

  close(): void {
    this.server.closeAllConnections()
    this.server.close()
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const asked: Asked = {
        body: Buffer.concat(chunks).toString("utf8"),
        path: request.url ?? "",
        authorization: request.headers.authorization,
        apiKey: request.headers["api-key"]?.toString(),
        atMs: performance.now(),
        answered: false,
      }
      this.asked.push(asked)
      this.onAsked(asked)
      const demanded = this.faults.shift()
      const { isTaken, headers } = demanded ? { isTaken: true, headers: {} } : this.admits(asked)
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
      const fault =
        demanded ?? (isTaken ? this.chance() : ({ kind: "status", status: 429, message: "too many requests" } as const))
      const waitMs = this.moods && fault?.kind !== "status" ? this.moods.random() * this.moods.slowestMs : 0
      if (waitMs === 0) this.reply(asked, fault, response)
      else setTimeout(() => this.reply(asked, fault, response), waitMs)
    })
  }

  private chance(): Fault | undefined {
    let left = this.moods?.random() ?? 1
    for (const [share, fault] of this.moods?.faults ?? []) {
      left -= share
      if (left >= 0) continue
      this.befallen++
      return fault
    }
    return undefined
  }

  private reply(asked: Asked, fault: Fault | undefined, response: ServerResponse): void {
    if (fault?.kind === "hang") return
    if (fault?.kind === "status") {
      response.writeHead(fault.status, { "content-type": "application/json", ...fault.headers })
      response.end(fault.body ?? JSON.stringify({ error: { message: fault.message ?? "no", type: "test" } }))
      return
    }
    if (fault?.kind === "page") {
      response.writeHead(200, { "content-type": "text/html" })
      response.end("<h1>Welcome</h1>")
      return
    }
    const text = this.answer(examplesFor(asked.body))
    const usage = this.usage(asked.body, text ?? "")
    const body = Buffer.from(
      JSON.stringify({
        id: "x",
        object: "chat.completion",
        choices: [
          this.choice(asked.body) ?? {
            index: 0,
            finish_reason: this.finish(asked.body),
            message: { role: "assistant", content: text },
          },
        ],
        usage: { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens },
      }),
    )
    this.charged.inputTokens += usage.prompt_tokens
    this.charged.outputTokens += usage.completion_tokens
    if (fault?.kind === "drop") {
      response.socket?.destroy()
      return
    }
    const half = body.subarray(0, Math.floor(body.length / 2))
    if (fault?.kind === "cut" || fault?.kind === "stall") {
      response.writeHead(200, { "content-type": "application/json", "content-length": body.length })
      response.write(half)
      if (fault.kind === "cut") setTimeout(() => response.socket?.destroy(), 50)
      return
    }
    response.writeHead(200, { "content-type": "application/json" })
    if (fault === undefined) asked.answered = true
    response.end(fault?.kind === "truncated" ? half : body)
  }
}

/** Five examples that no two questions share. */
function examplesFor(body: string): string {
  const label = /All with the output \\"([a-z-]+)\\"/.exec(body)?.[1] ?? "delivery"
  const words = (index: number) =>
    (createHash("sha256").update(`${index}:${body}`).digest("hex").match(/.{8}/g) ?? []).join(" ")
  return [0, 1, 2, 3, 4].map((index) => JSON.stringify({ input: `about ${words(index)}`, output: label })).join("\n")
}
