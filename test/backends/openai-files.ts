import type { IncomingMessage } from "node:http"
import type { Answer } from "./wire-server.ts"

interface KeptFile {
  readonly name: string
  readonly content: Buffer
  readonly purpose: string
  looksLeft: number
  refusal: string | undefined
}

interface Upload {
  readonly name: string
  readonly bytes: number
  readonly parts: Map<string, Buffer>
}

/** OpenAI's files and uploads in parts: files take time to be ready, and may be refused. */
export class FileStore {
  readonly files = new Map<string, KeptFile>()
  readonly uploads = new Map<string, Upload>()
  /** How often a new file is looked at before it is ready. */
  patience = 0
  /** Why new files are refused once they were looked at. */
  refusal: string | undefined
  pageSize = 3
  #count = 0

  /** Keeps a file; returns its id. */
  keep(name: string, content: Buffer, purpose = "fine-tune"): string {
    const id = `file-${++this.#count}`
    this.files.set(id, { name, content, purpose, looksLeft: this.patience, refusal: this.refusal })
    return id
  }

  async answerTo(
    method: string,
    url: URL,
    { request, body }: { readonly request: IncomingMessage; readonly body: Buffer },
  ): Promise<Answer> {
    const [, , room, id, part] = url.pathname.split("/")
    if (room === "uploads") return this.#upload(id, part, request, body)
    if (id === undefined && method === "POST") {
      const file = (await formOf(request, body)).get("file")
      if (!(file instanceof File)) return refusal(400, "file is missing")
      return this.#shown(this.keep(file.name, Buffer.from(await file.arrayBuffer())))
    }
    if (id === undefined)
      return page(
        [...this.files.keys()].reverse().map((file) => this.#shown(file).body as object),
        url,
        this.pageSize,
      )
    const file = this.files.get(id)
    if (file === undefined) return refusal(404, `no such file: ${id}`)
    if (part === "content") return { status: 200, body: file.content }
    if (method === "DELETE") {
      this.files.delete(id)
      return { status: 200, body: { id, object: "file", deleted: true } }
    }
    if (file.looksLeft > 0) file.looksLeft -= 1
    return this.#shown(id)
  }

  async #upload(
    id: string | undefined,
    part: string | undefined,
    request: IncomingMessage,
    body: Buffer,
  ): Promise<Answer> {
    if (id === undefined) {
      const { filename, bytes } = JSON.parse(body.toString("utf8")) as { filename: string; bytes: number }
      const upload = `upload-${++this.#count}`
      this.uploads.set(upload, { name: filename, bytes, parts: new Map() })
      return { status: 200, body: { id: upload, object: "upload", status: "pending" } }
    }
    const upload = this.uploads.get(id)
    if (upload === undefined) return refusal(404, `no such upload: ${id}`)
    if (part === "parts") {
      const data = (await formOf(request, body)).get("data")
      if (!(data instanceof Blob)) return refusal(400, "data is missing")
      const name = `part-${++this.#count}`
      upload.parts.set(name, Buffer.from(await data.arrayBuffer()))
      return { status: 200, body: { id: name, object: "upload.part", upload_id: id } }
    }
    const { part_ids } = JSON.parse(body.toString("utf8")) as { part_ids: string[] }
    const content = Buffer.concat(part_ids.map((name) => upload.parts.get(name) ?? Buffer.alloc(0)))
    if (content.length !== upload.bytes) return refusal(400, `${content.length} bytes of ${upload.bytes}`)
    return {
      status: 200,
      body: { id, object: "upload", status: "completed", file: this.#shown(this.keep(upload.name, content)).body },
    }
  }

  #shown(id: string): Answer {
    const file = this.files.get(id)
    if (file === undefined) return refusal(404, `no such file: ${id}`)
    const isReady = file.looksLeft === 0
    return {
      status: 200,
      body: {
        ...{ id, object: "file", bytes: file.content.length, created_at: 1_780_000_000, filename: file.name },
        purpose: file.purpose,
        status: !isReady ? "processing" : file.refusal === undefined ? "processed" : "error",
        status_details: isReady ? (file.refusal ?? null) : null,
      },
    }
  }
}

export function refusal(status: number, message: string, code: string | null = null): Answer {
  return { status, body: { error: { message, type: "invalid_request_error", param: null, code } } }
}

/** A page of a list that is newest first, after the given id. */
export function page(items: readonly object[], url: URL, most: number): Answer {
  const limit = Math.min(most, Number(url.searchParams.get("limit") ?? 20))
  const after = url.searchParams.get("after")
  const start = after === null ? 0 : items.findIndex((item) => (item as { id: string }).id === after) + 1
  const data = items.slice(start, start + limit)
  return { status: 200, body: { object: "list", data, has_more: start + limit < items.length } }
}

function formOf(request: IncomingMessage, body: Buffer): Promise<FormData> {
  const headers = { "content-type": request.headers["content-type"] ?? "" }
  return new Response(new Uint8Array(body), { headers }).formData()
}
