import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { fetchAdapter } from "../../src/backends/_artifacts.ts"
import { folderDigest } from "../../src/backends/work/digests.ts"
import { localTransport } from "../../src/backends/_local-transport.ts"
import type { Transport } from "../../src/backends/_transport.ts"
import type { RunFiles } from "../../src/core/contracts/backend.ts"

/** A run whose files lie in another folder of this machine, as on another machine. */
describe("the adapter of a finished training elsewhere", () => {
  let here = ""
  let there = ""
  let files: RunFiles
  let transport: Transport
  beforeEach(() => {
    here = mkdtempSync(join(tmpdir(), "tuneloop-here-"))
    there = mkdtempSync(join(tmpdir(), "tuneloop-there-"))
    files = { run: "r", folder: here, train: "", validation: "", adapter: join(here, "adapter"), checkpoints: "" }
    transport = { ...localTransport, name: "elsewhere", place: (local) => `${there}${local}` }
  })
  afterEach(() => {
    for (const folder of [here, there]) rmSync(folder, { recursive: true, force: true })
  })

  it("is brought once, whole", async () => {
    await train("weights")
    const { digest } = await folderDigest(transport.place(files.adapter))
    const brought = [{ path: files.adapter, digest, bytes: 9 }]
    expect(await fetchAdapter(transport, files)).toEqual(brought)
    expect(readFileSync(join(files.adapter, "nested", "weights"), "utf8")).toBe("weights")
    const { mtimeMs } = statSync(files.adapter)
    expect(await fetchAdapter(transport, files)).toEqual(brought)
    expect(statSync(files.adapter).mtimeMs).toBe(mtimeMs)
    expect(readdirSync(here)).toEqual(["adapter"])
  })

  it("replaces one that is not what the training made: of an attempt before, or damaged", async () => {
    await train("weights")
    await fetchAdapter(transport, files)
    writeFileSync(join(files.adapter, "nested", "weights"), "weightz")
    expect(await fetchAdapter(transport, files)).toHaveLength(1)
    await train("other weights")
    expect(await fetchAdapter(transport, files)).toHaveLength(1)
    expect(readFileSync(join(files.adapter, "nested", "weights"), "utf8")).toBe("other weights")
  })

  it("never takes its place when bytes changed on the way", async () => {
    await train("weights")
    const bad: Transport = {
      ...transport,
      async get(remote, local) {
        await transport.get(remote, local)
        writeFileSync(join(local, "nested", "weights"), "weightz")
      },
    }
    await expect(fetchAdapter(bad, files)).rejects.toMatchObject({ isRetryable: true })
    expect(readdirSync(here)).toEqual([])
    expect(await fetchAdapter(transport, files)).toHaveLength(1)
  })

  it("is not looked for before the training has succeeded", async () => {
    await train("weights", "failed")
    expect(await fetchAdapter(transport, files)).toEqual([])
    expect(existsSync(files.adapter)).toBe(false)
  })

  const train = async (weights: string, status = "succeeded") => {
    const adapter = transport.place(files.adapter)
    const state = transport.place(join(files.folder, "trainer"))
    for (const folder of [join(adapter, "nested"), state]) mkdirSync(folder, { recursive: true })
    writeFileSync(join(adapter, "a.json"), "{}")
    writeFileSync(join(adapter, "nested", "weights"), weights)
    const adapterDigest = (await folderDigest(adapter)).digest
    writeFileSync(join(state, "exit.json"), JSON.stringify({ status, submissionKey: "key", adapterDigest }))
  }
})
