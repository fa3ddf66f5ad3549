import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { importSeeds, sampleWorkspace, tuneloop } from "../command-line.ts"
import { BatchServer } from "../models/batch-server.ts"
import { brokenPromises, crashes } from "../stages/asking/asking-crash.ts"

it(
  "growing that is killed 10 times at random moments ends as an undisturbed one, pays nothing twice and " +
    "passes no ceiling",
  async () => {
    const summary = await crashes(10, 20_261_124)
    expect(summary.kills).toBe(10)
    expect(summary.ends).toBeGreaterThan(0)
    expect(brokenPromises(summary), JSON.stringify(summary)).toEqual([])
  },
)

it(
  "a batch whose process is killed at each call to the provider is there once, and its requests are " + "answered once",
  async () => {
    const server = await BatchServer.start()
    server.answer = (seed) => JSON.stringify({ input: `where is parcel number ${seed}`, output: "delivery" })
    const workspace = sampleWorkspace()
    const file = join(workspace, "specs", "ticket-triage.yaml")
    const model = `{ model: test-model, baseUrl: "${server.url}" }`
    const text = readFileSync(file, "utf8")
    writeFileSync(
      file,
      text.replace(
        "  strategies:\n",
        `  model: ${model}\n  strategies:\n    self-instruct: { count: 15, perRequest: 5 }\n`,
      ),
    )
    await importSeeds(workspace)
    const grow = ["expand", "ticket-triage", "--strategy", "self-instruct", "--batch"]
    const killedAt = async (at: string) => {
      const { child, outcome } = tuneloop(workspace, grow)
      server.onCall = (call) => {
        if (call.startsWith(at)) child.kill("SIGKILL")
      }
      const { code, stderr } = await outcome
      server.onCall = () => undefined
      expect([at, code], stderr).toEqual([at, null])
    }
    for (const at of ["GET /v1/batches?", "POST /v1/files", "POST /v1/batches", "GET /v1/batches/"]) await killedAt(at)
    expect((await tuneloop(workspace, grow).outcome).code).toBe(3)
    server.end(0, "completed")
    await killedAt("GET /v1/files")
    const { code, stderr } = await tuneloop(workspace, grow).outcome
    expect(code, stderr).toBe(0)
    expect(server.batches).toHaveLength(1)
    expect([...server.answered.values()]).toEqual([1, 1, 1])
    server.close()
  },
)
