import { createHash, hash } from "node:crypto"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import type { Answer } from "../wire-server.ts"

export interface ServedRepository {
  readonly kind: string
  /** Owner and name. */
  readonly name: string
  readonly isPrivate: boolean
  readonly createdAt: string
  readonly files: Map<string, ServedFile>
  commits: number
}

interface ServedFile {
  readonly content: Buffer
  /** Whether it lies in the store. */
  readonly isLarge: boolean
}

/** What a request to a repository is about. */
export interface RepositoryCall {
  readonly method: string
  readonly url: URL
  readonly body: Buffer
  readonly range: string | undefined
}

export function refusal(status: number, error: string, code?: string): Answer {
  return { status, body: { error }, headers: { "x-error-message": error, ...(code ? { "x-error-code": code } : {}) } }
}

/**
 * The hub's repositories: made and deleted, written in commits that happen whole or not at all, listed and read in
 * ranges. Large files go to a store at another address, which no token may reach. Protocol: huggingface.js
 * packages/hub/src/lib/{commit,file-download-info,list-files}.ts and huggingface_hub/_commit_api.py, 2026-08.
 */
export class RepositoryStore {
  readonly repositories = new Map<string, ServedRepository>()
  /** Calls to the store that came with a token. */
  readonly leaked: string[] = []
  /** Files of more bytes go to the store. */
  mostInlineBytes = 20_000
  /** How many weights models have, by name. */
  readonly weights = new Map<string, number>()
  clock: () => Date = () => new Date()
  /** The hub's own address. */
  hubUrl = ""
  readonly #objects = new Map<string, Buffer>()
  readonly #server: Server = createServer((request, response) => {
    const call = `${request.method} ${request.url}`
    if (request.headers.authorization !== undefined) this.leaked.push(call)
    const oid = /^\/objects\/([0-9a-f]{64})\?signature=1$/.exec(request.url ?? "")?.[1] ?? ""
    const chunks: Buffer[] = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const sent = Buffer.concat(chunks)
      if (request.method === "PUT") {
        const isWhole = hash("sha256", sent, "hex") === oid
        if (isWhole) this.#objects.set(oid, sent)
        return response.writeHead(isWhole ? 200 : 400).end()
      }
      const part = ranged(this.#objects.get(oid), request.headers.range, oid)
      response.writeHead(part.status, { ...part.headers })
      return response.end(request.method === "HEAD" ? undefined : part.body)
    })
  })

  async listen(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done))
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  /** The repository, made where it is not there. */
  put(kind: string, name: string, files: Readonly<Record<string, string | Buffer>>): void {
    const repository = this.repositories.get(name) ?? this.#create(kind, name, true)
    for (const [path, content] of Object.entries(files)) this.#write(repository, path, Buffer.from(content))
    repository.commits += 1
  }

  text(name: string, path: string): string | undefined {
    return this.repositories.get(name)?.files.get(path)?.content.toString("utf8")
  }

  answerTo(call: RepositoryCall, owner: string): Answer | undefined {
    const { method, url, body } = call
    const path = decodeURIComponent(url.pathname)
    if (path === "/api/repos/create" || path === "/api/repos/delete")
      return this.#manage(method, JSON.parse(String(body)), owner)
    if (method === "GET" && path === "/api/datasets") return this.#list(url)
    const [, kind, name, verb, rest = ""] =
      /^\/api\/(dataset|model)s\/([^/]+\/[^/]+)(?:\/(\w+)\/?(.*))?$/.exec(path) ?? []
    if (kind !== undefined) return this.#api(call, { name: name ?? "", verb: verb ?? "info", rest })
    const lfs = /^\/(?:datasets\/)?([^/]+\/[^/]+)\.git\/info\/lfs\/objects\/batch$/.exec(path)
    if (lfs) return this.#batch(JSON.parse(String(body)))
    const [, from, , inside] = /^\/(?:datasets\/)?([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path) ?? []
    return from === undefined ? undefined : this.#resolve(call, from, inside ?? "")
  }

  #create(kind: string, name: string, isPrivate: boolean): ServedRepository {
    const made = { kind, name, isPrivate, createdAt: this.clock().toISOString(), files: new Map(), commits: 1 }
    this.repositories.set(name, made)
    return made
  }

  #manage(method: string, asked: Record<string, string | boolean>, owner: string): Answer {
    const full = String(asked["name"]).includes("/")
      ? String(asked["name"])
      : `${asked["organization"] ?? owner}/${asked["name"]}`
    const known = this.repositories.get(full)
    if (method === "DELETE") {
      if (known === undefined) return refusal(404, "Repository not found", "RepoNotFound")
      this.repositories.delete(full)
      return { status: 200, body: "OK" }
    }
    const made = { url: `${this.hubUrl}/datasets/${full}`, id: full, name: full }
    if (known !== undefined) return { status: 409, body: { ...made, error: "You already created this dataset repo" } }
    this.#create(String(asked["type"]), full, asked["visibility"] === "private" || asked["private"] === true)
    return { status: 200, body: made }
  }

  #list({ searchParams }: URL): Answer {
    const author = searchParams.get("author")
    const search = searchParams.get("search") ?? ""
    const found = [...this.repositories.values()].filter(
      ({ kind, name }) => kind === "dataset" && name.startsWith(`${author}/`) && name.includes(search),
    )
    return { status: 200, body: found.map((repository) => infoOf(repository)) }
  }

  #api(call: RepositoryCall, { name, verb, rest }: { name: string; verb: string; rest: string }): Answer {
    const repository = this.repositories.get(name)
    if (repository === undefined) return refusal(404, "Repository not found", "RepoNotFound")
    switch (verb) {
      case "info":
      case "revision":
        return { status: 200, body: { ...infoOf(repository), ...this.#countOf(name) } }
      case "preupload":
        return { status: 200, body: this.#preupload(JSON.parse(String(call.body))) }
      case "commit":
        return this.#commit(repository, String(call.body))
      case "tree":
        return treeOf(repository, rest.replace(/^[^/]+\/?/, ""), call.url.searchParams.get("recursive") !== "false")
      default:
        return refusal(404, `no such thing: ${verb}`)
    }
  }

  #countOf(name: string): object {
    const total = this.weights.get(name)
    return total === undefined ? {} : { safetensors: { total, parameters: { BF16: total } } }
  }

  #preupload({ files }: { files: { path: string; size: number }[] }): object {
    return {
      files: files.map(({ path, size }) => ({
        ...{ path, shouldIgnore: false, uploadMode: this.#isLarge(path, size) ? "lfs" : "regular" },
      })),
    }
  }

  #isLarge(path: string, size: number): boolean {
    return size > this.mostInlineBytes || /\.(safetensors|pt|bin|pth)$/.test(path)
  }

  /** The transfer by xet is offered and not taken: the client falls back to plain uploads. */
  #batch({ objects }: { objects: { oid: string; size: number }[] }): Answer {
    const shown = objects.map(({ oid, size }) => ({
      ...{ oid, size },
      ...(this.#objects.has(oid) ? {} : { actions: { upload: { href: this.#address(oid) } } }),
    }))
    return { status: 200, body: { transfer: "basic", objects: shown } }
  }

  #commit(repository: ServedRepository, body: string): Answer {
    const operations = body
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { key: string; value: Record<string, string> })
    const changed = new Map(repository.files)
    const write = (path: string, content: Buffer, isLarge: boolean) => changed.set(path, { content, isLarge })
    for (const { key, value } of operations) {
      const path = value["path"] ?? ""
      if (key === "file") write(path, Buffer.from(value["content"] ?? "", "base64"), false)
      else if (key === "lfsFile") {
        const content = this.#objects.get(value["oid"] ?? "")
        if (content === undefined) return refusal(400, `${path} was not uploaded`)
        write(path, content, true)
      } else if (key === "deletedFile") changed.delete(path)
      else if (key === "deletedFolder") {
        for (const name of [...changed.keys()]) if (name.startsWith(path)) changed.delete(name)
      } else if (key !== "header") return refusal(400, `unknown operation ${key}`)
    }
    repository.files.clear()
    for (const [path, file] of changed) repository.files.set(path, file)
    repository.commits += 1
    const oid = shaOf(repository)
    return {
      status: 200,
      body: {
        success: true,
        commitOid: oid,
        commitUrl: `${this.hubUrl}/datasets/${repository.name}/commit/${oid}`,
        hookOutput: "",
      },
    }
  }

  #resolve({ range }: RepositoryCall, name: string, path: string): Answer {
    const repository = this.repositories.get(name)
    if (repository === undefined) return refusal(404, "Repository not found", "RepoNotFound")
    const file = repository.files.get(path)
    if (file === undefined) return refusal(404, "Entry not found", "EntryNotFound")
    const oid = hash("sha256", file.content, "hex")
    const headers = { "x-repo-commit": shaOf(repository), "x-linked-size": String(file.content.length) }
    if (file.isLarge)
      return {
        ...{ status: 302, body: Buffer.alloc(0) },
        headers: { ...headers, "x-linked-etag": `"${oid}"`, location: this.#address(oid) },
      }
    const part = ranged(file.content, range, oid)
    return { ...part, headers: { ...part.headers, ...headers } }
  }

  #write({ files }: ServedRepository, path: string, content: Buffer): void {
    const isLarge = this.#isLarge(path, content.length)
    if (isLarge) this.#objects.set(hash("sha256", content, "hex"), content)
    files.set(path, { content, isLarge })
  }

  #address(oid: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/objects/${oid}?signature=1`
  }
}

function ranged(
  content: Buffer | undefined,
  range: string | undefined,
  oid: string,
): { readonly status: number; readonly body: Buffer; readonly headers: Readonly<Record<string, string>> } {
  if (content === undefined) return { status: 404, body: Buffer.alloc(0), headers: {} }
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? []
  const common = { etag: `"${oid}"`, "accept-ranges": "bytes", "content-type": "application/octet-stream" }
  if (first === undefined || content.length === 0)
    return { status: 200, body: content, headers: { ...common, "content-length": String(content.length) } }
  const end = Math.min(last ? Number(last) : content.length - 1, content.length - 1)
  const body = content.subarray(Number(first), end + 1)
  const place = { "content-range": `bytes ${first}-${end}/${content.length}`, "content-length": String(body.length) }
  return { status: 206, body, headers: { ...common, ...place } }
}

function treeOf({ files }: ServedRepository, folder: string, isRecursive: boolean): Answer {
  const start = folder === "" ? "" : `${folder}/`
  const inside = [...files].filter(([path]) => path.startsWith(start))
  if (inside.length === 0 && folder !== "") return refusal(404, `${folder} does not exist`, "EntryNotFound")
  const folders = new Set(
    inside.flatMap(([path]) => {
      const parts = path.slice(start.length).split("/").slice(0, -1)
      return parts.map((_, at) => start + parts.slice(0, at + 1).join("/"))
    }),
  )
  const shown = [
    ...[...folders].map((path) => ({ type: "directory", oid: shaText(path), size: 0, path })),
    ...inside.map(([path, { content }]) => ({ type: "file", oid: shaText(path), size: content.length, path })),
  ]
  return { status: 200, body: shown.filter(({ path }) => isRecursive || !path.slice(start.length).includes("/")) }
}

function infoOf(repository: ServedRepository): object {
  const { name, isPrivate, createdAt, files } = repository
  return {
    ...{ _id: shaText(name), id: name, private: isPrivate, gated: false, downloads: 0, likes: 0, tags: [] },
    ...{ createdAt, lastModified: createdAt, sha: shaOf(repository), disabled: false },
    siblings: [...files.keys()].map((rfilename) => ({ rfilename })),
  }
}

function shaOf({ name, commits }: ServedRepository): string {
  return shaText(`${name} ${commits}`)
}

function shaText(text: string): string {
  return createHash("sha1").update(text).digest("hex")
}
