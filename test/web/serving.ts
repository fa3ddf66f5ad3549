import { readFileSync } from "node:fs"
import { request } from "node:http"
import { join } from "node:path"
import type { StageContext } from "../../src/stages/context.ts"
import { Workspace } from "../../src/store/workspace.ts"
import { serveReview, type ReviewPage } from "../../src/web/review-page.ts"

/** A context of which the review page needs the workspace and the clocks only. */
export function contextOf(workspace: string): StageContext {
  const none = (): never => {
    throw new Error("the review page needs no ledger")
  }
  return {
    workspace: Workspace.open(workspace),
    ledger: none,
    readLedger: none,
    now: () => new Date(),
    monotonicMs: () => performance.now(),
    sleep: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
    signal: new AbortController().signal,
    toolVersion: "test",
    consent: () => Promise.reject(new Error("nobody is to be asked here")),
    report: { note: () => undefined, warn: (message) => complaints.push(message), progress: () => undefined },
  }
}
/** What servers complained of: bugs. */
export const complaints: string[] = []

/** The cookies of the pages that let this process in, by their ports. */
const cookies = new Map<number, string>()

/** Shows the page its token, as a browser that follows the address does; requests to it are let in from now on. */
export async function letIn(port: number, token: string): Promise<Answered> {
  const answer = await ask(port, "GET", `/?token=${token}`)
  cookies.set(port, String(answer.headers["set-cookie"]).split(";")[0] ?? "")
  return answer
}

/** The token of the workspace's pages. */
export function tokenOf(workspace: string): string {
  return readFileSync(join(workspace, ".tuneloop", "page", "token"), "utf8").split("\n")[0] ?? ""
}

/** The page of a task on a free port, which lets this process in, with its whole address; closed after `work`. */
export async function serving<Result>(
  workspace: string,
  task: string,
  work: (page: ReviewPage, url: string) => Promise<Result>,
  options: { host?: string; reviewer?: string } = {},
): Promise<Result> {
  const context = contextOf(workspace)
  const host = options.host ?? "127.0.0.1"
  const page = await serveReview(context, context.workspace.readTask(task), {
    host,
    ports: [0],
    reviewer: options.reviewer,
  })
  try {
    await letIn(page.port, page.token)
    return await work(page, `http://127.0.0.1:${page.port}/?token=${page.token}`)
  } finally {
    cookies.delete(page.port)
    await page.close()
  }
}

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the answers it reads.
  readonly json: any
}

/**
 * A request with exactly these headers, and the cookie of a page that let in: fetch would not let Host and Origin be
 * forged.
 */
export function ask(
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: unknown,
): Promise<Answered> {
  const cookie = cookies.get(port)
  const all = { host: `127.0.0.1:${port}`, ...(cookie === undefined ? {} : { cookie }), ...headers }
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, method, path, agent: false, headers: all }, (response) => {
      const chunks: Buffer[] = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () => {
        const answered = Buffer.concat(chunks).toString()
        const isJson = String(response.headers["content-type"]).startsWith("application/json")
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: answered,
          json: isJson ? JSON.parse(answered) : undefined,
        })
      })
    })
    sent.on("error", reject)
    sent.end(text)
  })
}

/** What the page's own script would send. */
export function call(
  port: number,
  name: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  return ask(
    port,
    "POST",
    `/api/${name}`,
    {
      "content-type": "application/json",
      origin: `http://127.0.0.1:${port}`,
      "sec-fetch-site": "same-origin",
      ...headers,
    },
    body,
  )
}
