import { createHash } from "node:crypto"
import { createReadStream, mkdirSync, openAsBlob, readFileSync, statSync } from "node:fs"
import { dirname, join, sep } from "node:path"
import { z } from "zod"
import { ProviderError } from "../../../core/errors.ts"
import { type Query, queries } from "./queries.ts"
import type { HostedWire } from "../wire.ts"

/** An artifact by its name: `wandb-artifact:///entity/project/name:version`. */
export interface ArtifactName {
  readonly entity: string
  readonly project: string
  readonly name: string
  /** `v0`, or an alias such as `step3`. */
  readonly version: string
}

export function referenceOf({ entity, project, name, version }: ArtifactName): string {
  return `wandb-artifact:///${entity}/${project}/${name}:${version}`
}

/** Where the file of an artifact goes, and what is said of it. */
export interface NewArtifact {
  readonly entity: string
  readonly project: string
  /** The run that it belongs to. */
  readonly run: string
  readonly name: string
  readonly metadata: Readonly<Record<string, unknown>>
}

/** An artifact of the project as it is listed. */
export interface ListedArtifact {
  readonly reference: string
  readonly bytes: number | undefined
  readonly createdAt: string | undefined
  readonly state: string | undefined
}

/** The type of artifacts of rows. */
const datasetType = "dataset"
const manifestName = "wandb_manifest.json"
const storageLayout = "V2"

/**
 * Artifacts of W&B by its GraphQL API, as its own client calls it (wandb/wandb, core/pkg/artifacts, 2026-08-21). Files
 * go to and come from addresses that are signed: the key is not sent there, and their hosts have to be allowed.
 */
export class WandbArtifacts {
  readonly #wire: HostedWire
  readonly #storeAt: (address: URL) => HostedWire

  constructor(wire: HostedWire, storeAt: (address: URL) => HostedWire) {
    this.#wire = wire
    this.#storeAt = storeAt
  }

  /** The file is the artifact's only one, under this name. What is there already with the same content is that one. */
  async save(artifact: NewArtifact, file: { readonly name: string; readonly path: string }): Promise<string> {
    const { entity, project, run, name } = artifact
    await this.#ask(queries.upsertRun, { entity, project, name: run })
    const entry = { digest: await md5Of(file.path), size: statSync(file.path).size }
    const { id, state } = await this.#create(artifact, manifestDigest({ [file.name]: entry }))
    if (state !== "COMMITTED") await this.#fill(id, artifact, file, entry)
    const { versionIndex } = (await this.#ask(queries.version, { id })).artifact
    return referenceOf({ entity, project, name, version: `v${versionIndex}` })
  }

  /**
   * The files of the artifact are in the folder, each of the digest that the manifest states, and the manifest is that
   * of the artifact. Returns false for an artifact that is not there.
   */
  async download(artifact: ArtifactName, folder: string): Promise<boolean> {
    const found = await this.#find(artifact)
    if (found === undefined) return false
    const manifestFile = join(dirname(folder), manifestName)
    mkdirSync(folder, { recursive: true })
    await this.#download(found.currentManifest.file.directUrl, manifestFile)
    const manifest = manifestSchema.parse(JSON.parse(readFileSync(manifestFile, "utf8")))
    const stated = manifestDigest(manifest.contents)
    if (stated !== found.digest) throw this.#spoilt(referenceOf(artifact), found.digest, stated)
    for (const [name, entry] of Object.entries(manifest.contents))
      if (entry.ref == null) await this.#bring(found.id, manifest, { name, ...entry }, folder)
    return true
  }

  /** One that is gone already is as good. */
  async remove(artifact: ArtifactName): Promise<void> {
    const found = await this.#find(artifact)
    if (found !== undefined) await this.#ask(queries.remove, { id: found.id })
  }

  /** The bytes of the artifact's files together; undefined where it is not there. */
  async bytesOf(artifact: ArtifactName): Promise<number | undefined> {
    return (await this.#find(artifact))?.size ?? undefined
  }

  /** The artifacts of rows in the project. */
  async *list(entity: string, project: string): AsyncGenerator<ListedArtifact> {
    let cursor: string | null = null
    for (let number = 1; ; number++) {
      this.#wire.requirePage(number)
      const answer: z.output<typeof queries.list.answer> = await this.#ask(queries.list, {
        ...{ entity, project, type: datasetType, cursor },
      })
      const found = answer.project?.artifactType?.artifactCollections
      for (const { node } of found?.edges ?? [])
        for (const { node: artifact } of node.artifacts.edges)
          yield {
            reference: referenceOf({ entity, project, name: node.name, version: `v${artifact.versionIndex}` }),
            bytes: artifact.size ?? undefined,
            createdAt: artifact.createdAt ?? undefined,
            state: artifact.state ?? undefined,
          }
      cursor = found?.pageInfo.hasNextPage === true ? (found.pageInfo.endCursor ?? null) : null
      if (cursor === null) return
    }
  }

  /** The entity to which things go that name none. */
  async entity(): Promise<string> {
    const { entity } = (await this.#ask(queries.viewer, {})).viewer
    if (entity) return entity
    throw this.#error("the key belongs to no entity", "Name backend.options.entity in the job.")
  }

  async #create({ entity, project, run, name, metadata }: NewArtifact, digest: string) {
    // The same ids for the same artifact: whoever was interrupted goes on with what there is.
    const clientId = (what: string) => hexOf(`${what} ${entity}/${project}/${name} ${digest}`).repeat(2)
    const input = {
      ...{ entityName: entity, projectName: project, runName: run, artifactTypeName: datasetType },
      ...{ artifactCollectionName: name, digest, digestAlgorithm: "MANIFEST_MD5", aliases: [] },
      ...{ metadata: JSON.stringify(metadata), enableDigestDeduplication: true },
      ...{ clientID: clientId("artifact"), sequenceClientID: clientId("sequence") },
    }
    return (await this.#ask(queries.create, { input })).createArtifact.artifact
  }

  async #fill(
    artifactID: string,
    { entity, project, run }: NewArtifact,
    file: { readonly name: string; readonly path: string },
    entry: { readonly digest: string; readonly size: number },
  ): Promise<void> {
    const place = { artifactID, name: manifestName, entityName: entity, projectName: project, runName: run }
    const manifestOf = async (digest: string) =>
      (await this.#ask(queries.manifest, { ...place, digest })).createArtifactManifest.artifactManifest
    const { id: artifactManifestID } = await manifestOf("")
    const wanted = { artifactFiles: [{ artifactID, artifactManifestID, name: file.name, md5: entry.digest }] }
    const { files } = (await this.#ask(queries.files, { ...wanted, storageLayout })).createArtifactFiles
    const node = files.edges[0]?.node
    if (node === undefined) throw this.#error(`it named no address for ${file.name}`)
    // Without an address the service has such a file already.
    if (node.uploadUrl) await this.#put(node.uploadUrl, node.uploadHeaders, await openAsBlob(file.path))
    const contents = { [file.name]: { ...entry, birthArtifactID: node.artifact?.id ?? artifactID } }
    const policy = { storagePolicy: "wandb-storage-policy-v1", storagePolicyConfig: { storageLayout } }
    const manifest = JSON.stringify({ version: 1, ...policy, contents })
    const digest = createHash("md5").update(manifest).digest("base64")
    const { uploadUrl, uploadHeaders } = (await manifestOf(digest)).file
    if (!uploadUrl) throw this.#error("it named no address for the manifest")
    await this.#put(uploadUrl, uploadHeaders, new Blob([manifest]))
    await this.#ask(queries.commit, { artifactID })
  }

  async #find({ entity, project, name, version }: ArtifactName) {
    const asked = { entity, project, name: `${name}:${version}` }
    return (await this.#ask(queries.byName, asked)).project?.artifact ?? undefined
  }

  async #bring(
    artifact: string,
    { version, storagePolicyConfig: policy }: z.output<typeof manifestSchema>,
    entry: z.output<typeof entrySchema> & { readonly name: string },
    folder: string,
  ): Promise<void> {
    const { name, digest, size, birthArtifactID } = entry
    const path = join(folder, name)
    if (!path.startsWith(`${folder}${sep}`)) throw this.#error(`it names a file outside the artifact: ${name}`)
    const asked = {
      ...{ id: artifact, entries: [{ name, digest, birthArtifactID: birthArtifactID ?? null, size: size ?? null }] },
      ...{ storageLayout: policy?.storageLayout ?? storageLayout, manifestVersion: String(version ?? 1) },
    }
    const { edges } = (await this.#ask(queries.addresses, asked)).artifact.filesByManifestEntries
    const address = edges[0]?.node.directUrl
    if (address === undefined) throw this.#error(`it named no address for ${name}`)
    mkdirSync(dirname(path), { recursive: true })
    await this.#download(address, path, size ?? undefined)
    const came = await md5Of(path)
    if (came !== digest) throw this.#spoilt(name, digest, came)
  }

  async #ask<Value>({ text, answer }: Query<Value>, variables: object): Promise<Value> {
    const asked = { query: text, variables }
    const { data, errors } = await this.#wire.repeatable("POST", "/graphql", envelopeSchema, asked)
    if (errors == null || errors.length === 0) return this.#wire.parse(answer, data)
    throw this.#error(this.#wire.safe(errors.map(({ message }) => message).join("; ")))
  }

  async #put(address: string, headers: readonly string[] | null | undefined, body: Blob): Promise<void> {
    const url = new URL(address)
    const given = (headers ?? []).map((header): [string, string] => {
      const at = header.indexOf(":")
      return [header.slice(0, at), header.slice(at + 1).trim()]
    })
    const path = `${url.pathname}${url.search}`
    await this.#storeAt(url).repeatable("PUT", path, z.unknown(), body, Object.fromEntries(given))
  }

  async #download(address: string, file: string, bytes?: number): Promise<void> {
    const url = new URL(address)
    await this.#storeAt(url).download(`${url.pathname}${url.search}`, file, bytes)
  }

  #spoilt(what: string, stated: string, came: string): ProviderError {
    const provider = this.#wire.service.name
    return new ProviderError(`${what} came with the digest ${came}; the service states ${stated}`, {
      ...{ provider, isRetryable: true, mayHaveCost: false },
    })
  }

  #error(message: string, hint?: string): ProviderError {
    const { name: provider } = this.#wire.service
    const options = { provider, mayHaveCost: false, ...(hint === undefined ? {} : { hint }) }
    return new ProviderError(`${provider} answered about an artifact: ${message}`, options)
  }
}

const envelopeSchema = z.looseObject({
  data: z.unknown(),
  errors: z.array(z.looseObject({ message: z.string() })).nullish(),
})

const entrySchema = z.looseObject({
  digest: z.string(),
  size: z.number().nullish(),
  ref: z.string().nullish(),
  birthArtifactID: z.string().nullish(),
})
const manifestSchema = z.looseObject({
  version: z.int().nullish(),
  storagePolicyConfig: z.looseObject({ storageLayout: z.string().nullish() }).nullish(),
  contents: z.record(z.string(), entrySchema),
})

/** The digest of an artifact: of the names and digests of its files, in the order of the names. */
export function manifestDigest(contents: Readonly<Record<string, { readonly digest: string }>>): string {
  const sum = createHash("md5").update("wandb-artifact-manifest-v1\n")
  const byName = Object.entries(contents).sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [name, { digest }] of byName) sum.update(`${name}:${digest}\n`)
  return sum.digest("hex")
}

async function md5Of(path: string): Promise<string> {
  const sum = createHash("md5")
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) sum.update(piece)
  return sum.digest("base64")
}

function hexOf(text: string): string {
  return createHash("sha256").update(text).digest("hex")
}
