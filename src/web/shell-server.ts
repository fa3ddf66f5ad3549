import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { exitCodes, ToolkitError, UsageError } from "../core/errors.ts"
import type { Asset } from "./shell-assets.ts"
import { refuse, type Door } from "./shell-guard.ts"

/**
 * Answers what a page asks for. The body is what the page sent, not checked yet; `client` is the address that it came
 * from. A thrown `AnswerError` is an answer too.
 */
export type Call = (body: unknown, client: string) => unknown
/** Calls by their names. */
export type Calls = Readonly<Record<string, Call>>

/**
 * An answer that is not what was asked for: the page shows its sentence, and the details that only its own script
 * reads.
 */
export class AnswerError extends Error {
  readonly status: number
  readonly details: Readonly<Record<string, unknown>>

  constructor(status: number, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.status = status
    this.details = details
  }
}

export interface PageServer {
  readonly port: number
  /** No connection is left when it resolves. */
  close(): Promise<void>
}

/**
 * A local page is served until it is closed: its assets, and its calls as `POST /api/<name>` with JSON both ways. Who
 * may come in is `refuse`'s to say. The first of the ports that is not taken is its own; 0 is a free one. `complain`
 * hears of bugs, which the page is told of without their details.
 */
export async function servePage(
  door: Door,
  ports: readonly number[],
  page: {
    readonly assets: ReadonlyMap<string, Asset>
    readonly calls: Calls
    readonly complain: (error: Error) => void
  },
): Promise<PageServer> {
  const server = createServer((request, response) => {
    answer(door, page, request, response).catch((error: unknown) => {
      page.complain(error instanceof Error ? error : new Error(String(error)))
      response.destroy()
    })
  })
  for (const [index, port] of ports.entries()) {
    const isTaken = await listen(server, door.host, port)
    if (!isTaken) break
    if (index === ports.length - 1)
      throw new UsageError(
        `port ${port} of ${door.host} is taken`,
        "Give another one: --port N, or --port 0 for a free one.",
      )
  }
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/**
 * No script, style, picture or connection but our own, no inline code, no frame around us, no text made into markup.
 */
const headers: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; " +
    "trusted-types 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "x-frame-options": "DENY",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "cache-control": "no-store",
}

/**
 * The token leaves the address bar by a step of our own page, not by a redirect: who comes from a mail or a file would
 * not be let in after that, for a strict cookie goes with what our own pages begin only.
 */
const onwards =
  '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/"><title>Tuneloop</title>' +
  '<link rel="icon" href="/icon.svg" type="image/svg+xml">\n' +
  '<a href="/">Go on to the page</a>\n'

const largestBodyBytes = 8 * 1024 * 1024

async function answer(
  door: Door,
  page: Parameters<typeof servePage>[2],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const address = URL.parse(`http://page.invalid${request.url}`)
  if (address === null) return refused(response, "/", 400, "the address of the request is none")
  const { pathname: path, searchParams } = address
  const method = request.method ?? "GET"
  const given = searchParams.get("token") ?? undefined
  const cookie = `tuneloop-${request.socket.localPort}`
  const refusal = refuse(door, {
    method,
    path,
    host: request.headers.host,
    origin: request.headers.origin,
    site: request.headers["sec-fetch-site"] as string | undefined,
    contentType: request.headers["content-type"],
    token: given ?? cookieOf(request, cookie),
  })
  if (refusal) return refused(response, path, refusal.status, refusal.message)
  if (method === "GET" && given !== undefined) {
    response.setHeader("set-cookie", `${cookie}=${door.token}; HttpOnly; SameSite=Strict; Path=/`)
    return send(response, 200, "text/html; charset=utf-8", onwards)
  }
  const asset = page.assets.get(path)
  if (asset && (method === "GET" || method === "HEAD")) {
    send(response, 200, asset.type, method === "HEAD" ? "" : asset.body)
    return
  }
  const name = path.startsWith("/api/") ? path.slice("/api/".length) : ""
  const call = Object.hasOwn(page.calls, name) ? page.calls[name] : undefined
  if (call === undefined) return refused(response, path, 404, `there is nothing at ${path}`)
  if (method !== "POST") return refused(response, path, 405, `${path} is asked by POST, got ${method}`)
  try {
    json(response, 200, await call(await bodyOf(request), request.socket.remoteAddress ?? ""))
  } catch (error) {
    if (error instanceof AnswerError) json(response, error.status, { message: error.message, ...error.details })
    else if (error instanceof ToolkitError)
      json(response, error.exitCode === exitCodes.usage ? 422 : 500, { message: error.message, hint: error.hint })
    else {
      page.complain(error instanceof Error ? error : new Error(String(error)))
      json(response, 500, { message: "this is a bug of Tuneloop; the terminal says more" })
    }
  }
}

function refused(response: ServerResponse, path: string, status: number, message: string): void {
  if (path.startsWith("/api/")) json(response, status, { message })
  else send(response, status, "text/plain; charset=utf-8", `${message}\n`)
}

function json(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, "application/json; charset=utf-8", JSON.stringify(value))
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { ...headers, "content-type": type, "content-length": Buffer.byteLength(body) }).end(body)
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > largestBodyBytes)
      throw new AnswerError(413, `the request has over ${largestBodyBytes / 1024 / 1024} MiB`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)))
  } catch {
    throw new AnswerError(400, "the request is not valid JSON in UTF-8")
  }
}

function cookieOf(request: IncomingMessage, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim())
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
}

/** Whether the port is taken; else the server listens on it. */
async function listen(server: Server, host: string, port: number): Promise<boolean> {
  try {
    await new Promise<void>((resolve, reject) =>
      server.once("error", reject).listen({ host, port, exclusive: true }, resolve),
    )
    return false
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === "EADDRINUSE") return true
    if (code === "EACCES")
      throw new UsageError(`not allowed to listen on port ${port}`, "Give a port from 1024: --port N.")
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "EAI_AGAIN")
      throw new UsageError(
        `${host} is no address of this machine`,
        "Give --host one of its own addresses, or leave it out for this machine only.",
      )
    throw error
  }
}
