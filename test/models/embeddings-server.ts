import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"

/**
 * What the server does with its next request instead of answering: an HTTP status, or an answer that lacks its last
 * vector.
 */
export type EmbeddingFault = number | "short"

/**
 * An embeddings server on this machine that keeps every text that it was asked for and misbehaves on demand. Words that
 * mean the same have the same direction, so that texts in other words are near.
 */
export class EmbeddingsServer {
  readonly texts: string[] = []
  readonly faults: EmbeddingFault[] = []
  requests = 0
  /** So many requests are answered; later ones wait for ever. */
  answersAtMost = Infinity
  private readonly server: Server

  private constructor(server: Server) {
    this.server = server
  }

  static async start(): Promise<EmbeddingsServer> {
    const server = createServer()
    const embeddings = new EmbeddingsServer(server)
    server.on("request", (request, response) => {
      const chunks: Buffer[] = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const { input, dimensions = 64 } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as {
          input: string[]
          dimensions?: number
        }
        const fault = embeddings.faults.shift()
        embeddings.requests += 1
        response.setHeader("content-type", "application/json")
        if (typeof fault === "number") {
          response.writeHead(fault).end(JSON.stringify({ error: { message: "as wished" } }))
          return
        }
        embeddings.texts.push(...input)
        if (embeddings.requests > embeddings.answersAtMost) return
        const data = input
          .map((text, index) => ({ object: "embedding", index, embedding: vectorFor(text, dimensions) }))
          .reverse()
        const prompt_tokens = input.join(" ").split(" ").length
        response.end(
          JSON.stringify({ object: "list", data: fault === "short" ? data.slice(1) : data, usage: { prompt_tokens } }),
        )
      })
    })
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
    return embeddings
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`
  }

  close(): void {
    this.server.closeAllConnections()
    this.server.close()
  }
}

const meanings: Readonly<Record<string, string>> = {
  package: "parcel",
  arrived: "come",
  shows: "has",
  still: "yet",
  "isn't": "not",
  "hasn't": "not",
}

function vectorFor(text: string, dimensions: number): number[] {
  const vector = Array<number>(dimensions).fill(0)
  for (const word of text.toLowerCase().match(/[a-z'0-9]+/g) ?? []) {
    let hash = 7
    for (const letter of meanings[word] ?? word) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0
    for (let turn = 0; turn < 4; turn += 1) {
      hash = (Math.imul(hash, 1_664_525) + 1_013_904_223) >>> 0
      vector[(hash >>> 8) % dimensions] = (vector[(hash >>> 8) % dimensions] as number) + (hash & 1 ? 1 : -1)
    }
  }
  return vector
}
