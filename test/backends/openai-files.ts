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
  readonly filename: string
  readonly bytes: number
  readonly purpose: string
  status: "pending" | "completed" | "cancelled"
  readonly parts: Map<string, Buffer>
}

const madeAt = 1_780_000_000

/** OpenAI's files and uploads in parts: files take time to be ready, and may be refused. */
export class FileStore {
  readonly files = new Map<string, KeptFile>()
  readonly uploads = new Map<string, Upload>()
  /** How often a new file is looked at before it is ready, */
  patience = 0
  /** and what it is until then. OpenAI itself says `uploaded`; other services have words of their own. */
  unreadyWord = "uploaded"
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
      const form = await formOf(request, body)
      const [file, purpose] = [form.get("file"), form.get("purpose")]
      if (!(file instanceof File) || typeof purpose !== "string") return refusal(400, "file or purpose is missing")
      return this.#shown(this.keep(file.name, Buffer.from(await file.arrayBuffer()), purpose))
    }
    if (id === undefined) return this.#list(url)
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

  /** Newest first, of one purpose where the query names one. */
  #list(url: URL): Answer {
    const purpose = url.searchParams.get("purpose")
    const wanted = [...this.files].filter(([, file]) => purpose === null || file.purpose === purpose)
    return page(
      wanted.reverse().map(([id]) => this.#shown(id).body as object),
      url,
      this.pageSize,
    )
  }

  async #upload(
    id: string | undefined,
    part: string | undefined,
    request: IncomingMessage,
    body: Buffer,
  ): Promise<Answer> {
    if (id === undefined) {
      const asked = JSON.parse(body.toString("utf8")) as Pick<Upload, "filename" | "bytes" | "purpose">
      const upload = `upload-${++this.#count}`
      this.uploads.set(upload, { ...asked, status: "pending", parts: new Map() })
      return this.#shownUpload(upload)
    }
    const upload = this.uploads.get(id)
    if (upload === undefined) return refusal(404, `no such upload: ${id}`)
    if (upload.status !== "pending") return refusal(400, `the upload is ${upload.status}`)
    if (part === "parts") {
      const data = (await formOf(request, body)).get("data")
      if (!(data instanceof Blob)) return refusal(400, "data is missing")
      const name = `part-${++this.#count}`
      upload.parts.set(name, Buffer.from(await data.arrayBuffer()))
      return { status: 200, body: { id: name, object: "upload.part", created_at: madeAt, upload_id: id } }
    }
    if (part === "cancel") {
      upload.status = "cancelled"
      return this.#shownUpload(id)
    }
    const { part_ids } = JSON.parse(body.toString("utf8")) as { part_ids: string[] }
    const content = Buffer.concat(part_ids.map((name) => upload.parts.get(name) ?? Buffer.alloc(0)))
    if (content.length !== upload.bytes) return refusal(400, `${content.length} bytes of ${upload.bytes}`)
    upload.status = "completed"
    return this.#shownUpload(id, this.keep(upload.filename, content, upload.purpose))
  }

  #shownUpload(id: string, file?: string): Answer {
    const { parts: _parts, ...upload } = this.uploads.get(id) as Upload
    return {
      status: 200,
      body: {
        ...{ id, object: "upload", ...upload, created_at: madeAt, expires_at: madeAt + 3600 },
        file: file === undefined ? null : this.#shown(file).body,
      },
    }
  }

  #shown(id: string): Answer {
    const file = this.files.get(id)
    if (file === undefined) return refusal(404, `no such file: ${id}`)
    const isReady = file.looksLeft === 0
    return {
      status: 200,
      body: {
        ...{ id, object: "file", bytes: file.content.length, created_at: madeAt, filename: file.name },
        purpose: file.purpose,
        status: !isReady ? this.unreadyWord : file.refusal === undefined ? "processed" : "error",
        ...(isReady && file.refusal !== undefined ? { status_details: file.refusal } : {}),
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
