import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { stringify } from "yaml"
import { Machine, withoutXet } from "../backends/hf/machine.ts"
import { HubServer } from "../backends/hf/server.ts"
import { python, run, tinyWorkspace, tuneloop } from "./tuneloop.ts"

let server: HubServer
let machine: Machine
beforeEach(async () => {
  server = await HubServer.start()
  machine = new Machine(server, await python(), mkdtempSync(join(tmpdir(), "tuneloop-machine-")))
})
afterEach(() => {
  machine.close()
  server.close()
})

describe("a training on a machine of the hub", () => {
  it("fetches its base model there, comes home by digest, and is evaluated at home", async () => {
    const { workspace, environment } = await hubWorkspace({ epochs: 2 })
    const trained = await tuneloop(workspace, ["train", "mood", "--wait", "--yes", "--json"], environment).outcome
    expect(trained.code, trained.stderr + logOf()).toBe(0)
    const shown = await show(workspace)
    expect(shown.state).toBe("succeeded")
    expect(shown.events.filter(({ type }) => type === "started")).toHaveLength(1)
    const steps = shown.events.flatMap(({ type, step }) => (type === "metric-logged" ? [step ?? 0] : []))
    expect(steps.length).toBeGreaterThan(5)
    expect(steps).toEqual(steps.toSorted((a, b) => a - b))
    const folder = join(workspace, "jobs", "runs", shown.run)
    expect(readdirSync(join(folder, "adapter"))).toContain("adapter_config.json")
    expect(readFileSync(join(folder, "hub", "events.jsonl"), "utf8").split("\n").length).toBeGreaterThan(steps.length)
    expect([logOf(), JSON.stringify(shown)].join()).not.toContain(server.key)
    expect(server.store.leaked).toEqual([])
    const evaluated = await tuneloop(workspace, ["evaluate", "latest", "--json"], environment).outcome
    expect(evaluated.code, evaluated.stderr).toBe(0)
    expect(["promote", "reject", "undecided"]).toContain(JSON.parse(evaluated.stdout).verdict)
    const purged = await tuneloop(workspace, ["runs", "purge", "latest", "--yes", "--json"], environment).outcome
    expect(purged.code, purged.stderr).toBe(0)
    expect([...server.store.repositories.values()].map(({ kind }) => kind)).toEqual(["model", "model"])
    expect((await tuneloop(workspace, ["ledger", "verify"], environment).outcome).code).toBe(0)
  })

  it("leaves its checkpoint when it is cancelled, and the next attempt goes on from there", async () => {
    const { workspace, environment } = await hubWorkspace({ epochs: 60 })
    await tuneloop(workspace, ["train", "mood", "--yes"], environment).outcome
    await until(() => logOf().includes('"type": "checkpoint"'))
    const cancelled = await tuneloop(workspace, ["runs", "cancel", "latest", "--json"], environment).outcome
    expect(JSON.parse(cancelled.stdout), cancelled.stderr).toMatchObject({ state: "cancelled" })
    await machine.rest()
    const trained = await tuneloop(workspace, ["train", "mood", "--wait", "--yes", "--json"], environment).outcome
    expect(trained.code, trained.stderr + logOf()).toBe(0)
    const shown = await show(workspace)
    expect(shown.state).toBe("succeeded")
    expect(shown.events.find(({ type }) => type === "resumed")?.step).toBeGreaterThan(0)
    expect(server.jobs).toHaveLength(2)
  })

  it("says why it failed", async () => {
    const { workspace, environment } = await hubWorkspace({ epochs: 1 }, { targetModules: ["no_such_module"] })
    const trained = await tuneloop(workspace, ["train", "mood", "--wait", "--yes"], environment).outcome
    expect(trained.code).toBe(1)
    expect((await show(workspace)).message).toMatch(/no_such_module|[Tt]arget modules/)
  })
})

it("Python's own client finds in the server what it knows of the hub", async () => {
  server.onJob = () => undefined
  const script = join(import.meta.dirname, "hub-clients.py")
  const { code, stdout, stderr } = await run(await python(), [script, server.url, server.key], {
    HF_HUB_OFFLINE: "0",
    ...withoutXet,
  })
  expect(code, stderr).toBe(0)
  expect(JSON.parse(stdout)).toEqual({
    ...{ files: ["in/large.bin"], isSame: true, isThere: false, listed: 4, marked: true, logs: [] },
    ...{ stages: ["SCHEDULING", "CANCELED"], prices: { "cpu-basic": 0.000167, "a10g-small": 0.016667 } },
  })
})

/** A workspace whose base model lies on the hub and whose job trains there. */
async function hubWorkspace(hyperparameters: object, method: object = {}) {
  const workspace = await tinyWorkspace("hub")
  const model = join(workspace, "tiny-model")
  const files = readdirSync(model).map((name) => [name, readFileSync(join(model, name))] as const)
  server.store.put("model", "tester/tiny", Object.fromEntries(files))
  writeFileSync(join(workspace, "tuneloop.yaml"), stringify({ allowedHosts: ["127.0.0.1"] }))
  const options = { baseUrl: server.url, flavor: "cpu-basic", settleSeconds: 0, pollSeconds: 0.5, quietSeconds: 0.3 }
  writeFileSync(
    join(workspace, "jobs", "mood.yaml"),
    stringify({
      ...{ job: "mood", task: "mood", baseModel: "tester/tiny", backend: { name: "hf-jobs", options } },
      method: { name: "lora", ...method },
      hyperparameters: { batchSize: 2, learningRate: 0.001, ...hyperparameters },
      evaluation: { contenders: ["few-shot", "linear"], maxNewTokens: 3, latencyRows: 2 },
    }),
  )
  const home = mkdtempSync(join(tmpdir(), "tuneloop-hub-home-"))
  const environment = {
    HF_TOKEN: server.key,
    TUNELOOP_PYTHON: await python(),
    // The hub is on loopback: what keeps the other tests off the network must not keep these from it.
    HF_HUB_OFFLINE: "0",
    HF_ENDPOINT: server.url,
    HF_HOME: home,
    ...withoutXet,
  }
  return { workspace, environment }
}

function logOf(): string {
  return server.jobs.flatMap(({ log }) => log.map(({ data }) => data)).join("\n")
}

interface Shown {
  readonly run: string
  readonly state: string
  readonly message?: string
  readonly events: readonly { readonly type: string; readonly step?: number }[]
}

async function show(workspace: string): Promise<Shown> {
  return JSON.parse((await tuneloop(workspace, ["runs", "show", "latest", "--json"]).outcome).stdout) as Shown
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 240_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited four minutes in vain:\n${logOf()}`)
    await new Promise((done) => setTimeout(done, 50))
  }
}
