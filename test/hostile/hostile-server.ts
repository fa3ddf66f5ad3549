import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export type Reply = (body: string, response: ServerResponse, path: string) => void

/** A model server on this machine that answers whatever a test says, byte for byte. */
export class HostileServer {
  readonly asked: string[] = []
  reply: Reply
  private readonly server: Server

  private constructor(server: Server, reply: Reply) {
    this.server = server
    this.reply = reply
  }

  static async start(reply: Reply = says("")): Promise<HostileServer> {
    const server = createServer()
    const hostile = new HostileServer(server, reply)
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString("utf8")
        hostile.asked.push(body)
        hostile.reply(body, response, request.url ?? "")
      })
    })
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
    return hostile
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`
  }

  close(): void {
    this.server.closeAllConnections()
    this.server.close()
  }
}

/** A chat completion with the text, and what it says it took. */
export function says(text: string, usage: object = { prompt_tokens: 300, completion_tokens: 70 }): Reply {
  return sends(JSON.stringify({ choices: [{ finish_reason: "stop", message: { content: text } }], usage }))
}

/** The bytes as the body of an answer of JSON. */
export function sends(body: string | Buffer): Reply {
  return (_asked, response) => {
    response.writeHead(200, { "content-type": "application/json" })
    response.end(body)
  }
}
