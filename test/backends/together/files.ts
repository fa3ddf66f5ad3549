import type { IncomingMessage } from "node:http"
import type { Answer } from "../wire-server.ts"

interface KeptFile {
  readonly name: string
  readonly purpose: string
  /** Undefined until it was put where the service said. */
  content: Buffer | undefined
  looksLeft: number
  readonly refusal: string | undefined
}

interface Call {
  readonly request: IncomingMessage
  /** The parts of the path below `files`. */
  readonly path: readonly string[]
  readonly body: Buffer
  /** Where the service is, up to `/v1`. */
  readonly url: string
}

const madeAt = 1_780_000_000
/** Where contents are put; whoever knows the address may, without a key. */
export const storagePath = "storage"

/**
 * Together's files: uploaded whole in one form, or announced and put to the address that the service names, as its
 * client does. They are looked at before a job may name them, and may be refused.
 */
export class TogetherFiles {
  readonly kept = new Map<string, KeptFile>()
  /** How often a new file is looked at before it is ready. */
  patience = 0
  /** Why new files are refused once they were looked at. */
  refusal: string | undefined

  /** Undefined where it is not known, or not ready for a job. */
  ready(id: string): Buffer | undefined {
    const file = this.kept.get(id)
    return file?.looksLeft === 0 ? file.content : undefined
  }

  /** Takes the content of a file that was announced. */
  put(id: string, content: Buffer): Answer {
    const file = this.kept.get(id)
    if (file === undefined) return refused(403, "no such address")
    file.content = content
    return { status: 200, body: {} }
  }

  async answerTo({ request, path: [id, part], body, url }: Call): Promise<Answer> {
    if (id === undefined && request.method === "POST") return this.#announce(await formOf(request, body), url)
    if (id === undefined) return { status: 200, body: { data: [...this.kept.keys()].map((file) => this.#shown(file)) } }
    if (id === "upload") return this.#take(await formOf(request, body))
    const file = this.kept.get(id)
    if (file?.content === undefined) return refused(404, `file ${id} not found`)
    if (part === "content") return { status: 200, body: file.content }
    if (request.method === "DELETE") {
      this.kept.delete(id)
      return { status: 200, body: { id, deleted: true } }
    }
    if (part !== "preprocess" && file.looksLeft > 0) file.looksLeft -= 1
    return { status: 200, body: this.#shown(id) }
  }

  #announce(form: FormData, url: string): Answer {
    const [name, purpose] = [form.get("file_name"), form.get("purpose")]
    if (typeof name !== "string" || typeof purpose !== "string") return refused(400, "file_name or purpose is missing")
    const id = this.#keep(name, purpose, undefined)
    return { status: 302, headers: { location: `${url}/${storagePath}/${id}`, "x-together-file-id": id }, body: {} }
  }

  async #take(form: FormData): Promise<Answer> {
    const [file, purpose] = [form.get("file"), form.get("purpose")]
    if (!(file instanceof File) || purpose !== "fine-tune") return refused(400, "file or purpose is missing")
    const content = Buffer.from(await file.arrayBuffer())
    return { status: 200, body: this.#shown(this.#keep(String(form.get("file_name")), purpose, content)) }
  }

  #keep(name: string, purpose: string, content: Buffer | undefined): string {
    const id = `file-${this.kept.size + 1}`
    this.kept.set(id, { name, purpose, content, looksLeft: this.patience, refusal: this.refusal })
    return id
  }

  #shown(id: string): object {
    const { name, purpose, content, looksLeft, refusal } = this.kept.get(id) as KeptFile
    const isReady = looksLeft === 0
    return {
      ...{ id, object: "file", bytes: content?.length ?? 0, filename: name, purpose, created_at: madeAt },
      ...{ FileType: "jsonl", Processed: isReady },
      processing_status: !isReady ? "RUNNING" : refusal === undefined ? "COMPLETED" : "INVALID_FORMAT",
      ...(isReady ? { validation_report: reportOf(refusal) } : {}),
    }
  }
}

function reportOf(error: string | undefined): object {
  return error === undefined ? { valid: true } : { valid: false, error, error_type: "INVALID_FORMAT" }
}

export function refused(status: number, message: string): Answer {
  return { status, body: { error: { message, type: "invalid_request_error", param: null, code: null } } }
}

function formOf(request: IncomingMessage, body: Buffer): Promise<FormData> {
  const headers = { "content-type": request.headers["content-type"] ?? "" }
  return new Response(new Uint8Array(body), { headers }).formData()
}
