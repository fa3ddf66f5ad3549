import { createHash, randomUUID } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { manifestDigest } from "../../../src/backends/hosted/wandb/artifacts.ts"
import type { Answer } from "../wire-server.ts"

interface KeptArtifact {
  readonly id: string
  readonly entity: string
  readonly project: string
  readonly name: string
  readonly type: string
  readonly digest: string
  readonly clientId: string
  versionIndex: number
  readonly aliases: readonly string[]
  state: "PENDING" | "COMMITTED" | "DELETED"
  /** Where the manifest lies in the store. */
  manifest: string | undefined
  /** Where each file lies in the store. */
  readonly files: Map<string, string>
}

type Variables = Readonly<Record<string, unknown>>

/** Where contents lie; whoever knows the signed address may, and no key may come with it. */
export const storePath = "store"

/**
 * Artifacts as W&B's GraphQL API keeps them: one is pending until it is committed, its files and its manifest go to
 * signed addresses, and the same content under the same name is not kept twice.
 */
export class ArtifactServer {
  readonly artifacts: KeptArtifact[] = []
  readonly runs = new Set<string>()
  /** Contents by their places; undefined until they were put there. */
  readonly contents = new Map<string, Buffer | undefined>()
  readonly #origin: () => string

  constructor(origin: () => string) {
    this.#origin = origin
  }

  /** The committed artifact of this name with this version or alias. */
  named(path: string): KeptArtifact | undefined {
    const [, entity, project, name, version] = /^([^/]+)\/([^/]+)\/([^/:]+):(.+)$/.exec(path) ?? []
    return this.artifacts.find(
      (kept) =>
        kept.state === "COMMITTED" &&
        kept.entity === entity &&
        kept.project === project &&
        kept.name === name &&
        (version === `v${kept.versionIndex}` || kept.aliases.includes(version ?? "")),
    )
  }

  contentOf(artifact: KeptArtifact, file: string): Buffer | undefined {
    return this.contents.get(artifact.files.get(file) ?? "")
  }

  /** Keeps what the service itself makes. */
  keep(
    { entity, project, name, type }: Pick<KeptArtifact, "entity" | "project" | "name" | "type">,
    alias: string,
    files: Readonly<Record<string, string>>,
  ): KeptArtifact {
    const contents = Object.fromEntries(
      Object.entries(files).map(([file, text]) => [file, { digest: md5(Buffer.from(text)), size: text.length }]),
    )
    const artifact = this.#new(
      { entity, project, name, type, digest: manifestDigest(contents), clientId: randomUUID() },
      [alias],
    )
    for (const [file, text] of Object.entries(files)) artifact.files.set(file, this.#place(Buffer.from(text)))
    artifact.manifest = this.#place(Buffer.from(JSON.stringify(manifestOf(contents))))
    artifact.state = "COMMITTED"
    return artifact
  }

  /** Takes or gives a content at its signed address. */
  async store(request: IncomingMessage, place: string, body: Buffer): Promise<Answer> {
    if (request.headers.authorization !== undefined) return { status: 400, body: "only one way to authenticate" }
    if (!this.contents.has(place)) return { status: 403, body: "the signature does not match" }
    if (request.method === "PUT") {
      const stated = request.headers["content-md5"]
      if (stated !== undefined && stated !== md5(body)) return { status: 400, body: "BadDigest" }
      this.contents.set(place, body)
      return { status: 200, body: {} }
    }
    const content = this.contents.get(place)
    return content === undefined ? { status: 404, body: "NoSuchKey" } : { status: 200, body: content }
  }

  answerTo(query: string, variables: Variables): Answer {
    const operation = /^(?:query|mutation)\s+(\w+)/.exec(query)?.[1] ?? ""
    const work = this.#operations[operation]
    if (work === undefined) return { status: 200, body: { errors: [{ message: `unknown operation ${operation}` }] } }
    const data = work(variables)
    return {
      status: 200,
      body: typeof data === "string" ? { data: null, errors: [{ message: data }] } : { data },
    }
  }

  readonly #operations: Readonly<Record<string, (given: Variables) => object | string>> = {
    Viewer: () => ({ viewer: { entity: "team" } }),
    UpsertBucket: ({ name }) => {
      this.runs.add(String(name))
      return { upsertBucket: { bucket: { id: `run-${String(name)}` } } }
    },
    CreateArtifact: ({ input }) => this.#create(input as Variables),
    CreateArtifactManifest: (given) => this.#manifest(given),
    CreateArtifactFiles: ({ artifactFiles }) => this.#files((artifactFiles as readonly Variables[])[0] ?? {}),
    CommitArtifact: ({ artifactID }) => this.#commit(String(artifactID)),
    ArtifactVersion: ({ id }) => ({ artifact: { versionIndex: this.#of(id)?.versionIndex } }),
    ArtifactByName: ({ entity, project, name }) => {
      const found = this.named(`${String(entity)}/${String(project)}/${String(name)}`)
      return { project: { artifact: found === undefined ? null : this.#shown(found) } }
    },
    ArtifactFileURLsByManifestEntries: ({ id, entries }) => ({
      artifact: {
        filesByManifestEntries: {
          edges: (entries as readonly { name: string }[]).map(({ name }) => ({
            node: { name, directUrl: this.#address(this.#of(id)?.files.get(name) ?? "none") },
          })),
        },
      },
    }),
    Artifacts: ({ type }) => this.#list(String(type)),
    DeleteArtifact: ({ id }) => {
      const found = this.#of(id)
      if (found !== undefined) found.state = "DELETED"
      return { deleteArtifact: { artifact: { id } } }
    },
  }

  #create(input: Variables): object | string {
    if (!this.runs.has(String(input["runName"]))) return `run ${String(input["runName"])} not found`
    const [entity, project, name, type, digest, clientId] = [
      ...["entityName", "projectName", "artifactCollectionName", "artifactTypeName", "digest", "clientID"],
    ].map((key) => String(input[key])) as [string, string, string, string, string, string]
    const isSame = (kept: KeptArtifact) =>
      kept.clientId === clientId || (input["enableDigestDeduplication"] === true && kept.digest === digest)
    const same = this.artifacts.find((kept) => kept.name === name && kept.state !== "DELETED" && isSame(kept))
    const { id, state } = same ?? this.#new({ entity, project, name, type, digest, clientId }, [])
    return { createArtifact: { artifact: { id, state } } }
  }

  #manifest({ artifactID, digest }: Variables): object | string {
    const artifact = this.#of(artifactID)
    if (artifact === undefined) return "no such artifact"
    if (digest === "") return { createArtifactManifest: { artifactManifest: { id: "m1", file: { id: "f" } } } }
    artifact.manifest = this.#place(undefined)
    const file = {
      id: "f",
      uploadUrl: this.#address(artifact.manifest),
      uploadHeaders: [`Content-Md5:${String(digest)}`],
    }
    return { createArtifactManifest: { artifactManifest: { id: "m1", file } } }
  }

  #files({ artifactID, name, md5: digest }: Variables): object | string {
    const artifact = this.#of(artifactID)
    if (artifact === undefined) return "no such artifact"
    const place = this.#place(undefined)
    artifact.files.set(String(name), place)
    const uploadHeaders = [`Content-Md5:${String(digest)}`, "Content-Type:application/octet-stream"]
    const node = { uploadUrl: this.#address(place), uploadHeaders, artifact: { id: artifactID } }
    return { createArtifactFiles: { files: { edges: [{ node }] } } }
  }

  #commit(id: string): object | string {
    const artifact = this.#of(id)
    const manifest = JSON.parse(this.contents.get(artifact?.manifest ?? "")?.toString("utf8") ?? "null") as {
      readonly contents: Readonly<Record<string, { readonly digest: string }>>
    } | null
    if (artifact === undefined || manifest === null) return "the manifest was not uploaded"
    if (manifestDigest(manifest.contents) !== artifact.digest) return "the manifest is not that of the artifact"
    for (const [name, { digest }] of Object.entries(manifest.contents))
      if (md5(this.contentOf(artifact, name) ?? Buffer.alloc(0)) !== digest) return `${name} was not uploaded`
    artifact.state = "COMMITTED"
    return { commitArtifact: { artifact: { id, digest: artifact.digest } } }
  }

  #list(type: string): object {
    const kept = this.artifacts.filter((artifact) => artifact.type === type && artifact.state === "COMMITTED")
    const edges = kept.map(({ name, versionIndex, state, files }) => {
      const size = [...files.values()].reduce((sum, place) => sum + (this.contents.get(place)?.length ?? 0), 0)
      const node = { versionIndex, state, size, createdAt: "2026-06-01T00:00:00Z" }
      return { node: { name, artifacts: { edges: [{ node }] } } }
    })
    const artifactCollections = { pageInfo: { hasNextPage: false, endCursor: null }, edges: edges.reverse() }
    return { project: { artifactType: { artifactCollections } } }
  }

  #shown({ id, digest, manifest = "none" }: KeptArtifact): object {
    return { id, digest, size: 1, currentManifest: { file: { directUrl: this.#address(manifest) } } }
  }

  #new(
    given: Pick<KeptArtifact, "entity" | "project" | "name" | "type" | "digest" | "clientId">,
    aliases: readonly string[],
  ): KeptArtifact {
    const versionIndex = this.artifacts.filter(({ name }) => name === given.name).length
    const rest = { state: "PENDING" as const, manifest: undefined, files: new Map<string, string>() }
    const artifact: KeptArtifact = {
      id: `artifact-${this.artifacts.length + 1}`,
      ...given,
      versionIndex,
      aliases,
      ...rest,
    }
    this.artifacts.push(artifact)
    return artifact
  }

  #of(id: unknown): KeptArtifact | undefined {
    return this.artifacts.find((artifact) => artifact.id === id)
  }

  #place(content: Buffer | undefined): string {
    const place = randomUUID()
    this.contents.set(place, content)
    return place
  }

  #address(place: string): string {
    return `${this.#origin()}/${storePath}/${place}?signature=secret`
  }
}

function manifestOf(contents: object): object {
  return {
    ...{ version: 1, storagePolicy: "wandb-storage-policy-v1", storagePolicyConfig: { storageLayout: "V2" } },
    contents,
  }
}

function md5(content: Buffer): string {
  return createHash("md5").update(content).digest("base64")
}
