import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

interface Batch {
  readonly id: string
  readonly lines: readonly { readonly custom_id: string; readonly body: { readonly seed: number } }[]
  readonly metadata: Record<string, string>
  status: string
  output_file_id?: string
  error_file_id?: string
  done: number
}

/**
 * OpenAI's files and batches on this machine: uploads are kept, batches run when they are told to, and requests are
 * charged for when they are answered.
 */
export class BatchServer {
  readonly batches: Batch[] = []
  readonly calls: string[] = []
  /** Called for each call that arrives, before it is answered. */
  onCall: (call: string) => void = () => undefined
  /** How often each request was answered, by its seed. */
  readonly answered = new Map<number, number>()
  /** What happens to the next creation: it is made but nobody hears of it, it is refused, or it never arrives. */
  nextCreation: "lost" | "refused" | "dropped" | undefined
  /** What it answers to the request with the seed. */
  answer: (seed: number) => string = (seed) => `answer to ${seed}`
  private readonly files = new Map<string, string>()
  private readonly server: Server

  private constructor(server: Server) {
    this.server = server
  }

  /** Listens on the port; 0 takes a free one. */
  static async start(port = 0): Promise<BatchServer> {
    const server = createServer()
    const batches = new BatchServer(server)
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => batches.take(`${request.method} ${request.url}`, Buffer.concat(chunks), response))
    })
    await new Promise<void>((done, failed) => server.once("error", failed).listen(port, "127.0.0.1", done))
    return batches
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`
  }

  close(): void {
    this.server.closeAllConnections()
    this.server.close()
  }

  /**
   * Ends the batch: the first so many requests are answered, those with a seed in `wrong` refused for good, and the
   * rest has expired.
   */
  end(
    index: number,
    status: "completed" | "expired" | "failed",
    answers = Number.POSITIVE_INFINITY,
    wrong: readonly number[] = [],
  ): void {
    const batch = this.batches[index]
    if (batch === undefined) throw new Error(`there is no batch ${index}`)
    const output: string[] = []
    const errors: string[] = []
    for (const [at, { custom_id, body }] of batch.lines.entries()) {
      const line = (response: object | null, error: object | null = null) =>
        JSON.stringify({ id: `r${at}`, custom_id, response, error })
      if (wrong.includes(body.seed))
        errors.push(line({ status_code: 400, body: { error: { message: "seed must be even" } } }))
      else if (status !== "failed" && at < answers) {
        this.answered.set(body.seed, (this.answered.get(body.seed) ?? 0) + 1)
        output.push(line({ status_code: 200, body: completion(this.answer(body.seed)) }))
      } else
        errors.push(
          line(null, {
            code: "batch_expired",
            message: "This request could not be executed before the completion window expired.",
          }),
        )
    }
    batch.status = status
    batch.done = output.length
    // A file of answers has no order.
    if (output.length > 0) batch.output_file_id = this.keep(`${output.reverse().join("\n")}\n`)
    if (errors.length > 0 && status !== "failed") batch.error_file_id = this.keep(`${errors.join("\n")}\n`)
  }

  private take(call: string, body: Buffer, response: ServerResponse): unknown {
    this.calls.push(call)
    this.onCall(call)
    const json = (value: unknown, status = 200) => {
      response.writeHead(status, { "content-type": "application/json" })
      response.end(JSON.stringify(value))
    }
    if (call === "POST /v1/files") {
      const text = body.toString("utf8")
      const lines = text.split(/\r?\n/).filter((line) => line.startsWith('{"custom_id"'))
      return json({ id: this.keep(lines.join("\n")), object: "file", purpose: "batch" })
    }
    if (call === "POST /v1/batches") {
      const fate = this.nextCreation
      this.nextCreation = undefined
      if (fate === "dropped") return response.socket?.destroy()
      if (fate === "refused") return json({ error: { message: "no batches for this model" } }, 400)
      const { input_file_id, metadata } = JSON.parse(body.toString("utf8")) as {
        input_file_id: string
        metadata: Record<string, string>
      }
      const lines = (this.files.get(input_file_id) ?? "")
        .split("\n")
        .map((line) => JSON.parse(line) as Batch["lines"][number])
      const batch: Batch = { id: `batch_${this.batches.length}`, lines, metadata, status: "validating", done: 0 }
      this.batches.push(batch)
      if (fate === "lost") return response.socket?.destroy()
      return json(shown(batch))
    }
    if (call.startsWith("GET /v1/batches?"))
      return json({ object: "list", data: this.batches.map(shown).reverse(), has_more: false })
    const batch = this.batches.find(({ id }) => call === `GET /v1/batches/${id}`)
    if (batch) return json(shown(batch))
    const file = /^GET \/v1\/files\/(.+)\/content$/.exec(call)?.[1]
    response.writeHead(this.files.has(file ?? "") ? 200 : 404, { "content-type": "application/octet-stream" })
    return response.end(this.files.get(file ?? "") ?? "")
  }

  private keep(text: string): string {
    const id = `file-${this.files.size}`
    this.files.set(id, text)
    return id
  }
}

function shown({ lines, done, ...batch }: Batch): object {
  return { object: "batch", ...batch, request_counts: { total: lines.length, completed: done, failed: 0 } }
}

function completion(content: string): object {
  return {
    object: "chat.completion",
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }],
    usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
  }
}
