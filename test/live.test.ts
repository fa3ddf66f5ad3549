import { spawn } from "node:child_process"
import { join } from "node:path"
import { expect, it } from "vitest"
import { OpenAiServer } from "./backends/openai-server.ts"
import type { BackendModule } from "../src/core/contracts/backend.ts"
import { load, names } from "../src/cli/plugins.ts"
import { outcomeOf } from "./command-line.ts"
import { liveTarget } from "./live-target.ts"

it("the live check names what is missing, of each service, before it asks anybody", async () => {
  for (const name of names("backends")) {
    const { kind, examples, environment } = await load<BackendModule>("backends", name)
    for (const { options = {} } of kind === "hosted" ? Object.values(examples) : []) {
      const given = JSON.stringify(options)
      expect(await liveTarget(name, given, {})).toEqual({ problem: expect.stringMatching(/^\w+ is not set\n {2}Set/) })
      const keys = Object.fromEntries([...environment.map((key) => [key.name, "hf_key"]), ["TUNING_API_KEY", "key"]])
      expect(await liveTarget(name, given, keys)).toMatchObject({
        hosts: expect.arrayContaining([expect.stringContaining(".")]),
      })
    }
  }
  expect(await liveTarget("fireworks", "{}", {})).toMatchObject({ problem: expect.stringContaining("2026-11-15") })
  expect(await liveTarget("togeter", "{}", {})).toMatchObject({ problem: expect.stringContaining("did you mean") })
  expect(await liveTarget("local", "{}", {})).toMatchObject({ problem: expect.stringContaining("is no service") })
  expect(await liveTarget("wandb", "[", {})).toMatchObject({ problem: "--options is no JSON object: [" })
  expect(await liveTarget("wandb", '{"proj": "x"}', {})).toMatchObject({ problem: expect.stringContaining("project") })
})

it("the live check runs one small job and prints what was observed; without --yes it sends nothing", async () => {
  const server = await OpenAiServer.start()
  try {
    server.onCall = (call) => {
      if (/^GET .*jobs\/ftjob-1$/.test(call) && server.newest.status !== "succeeded") server.succeed()
    }
    const live = (...words: string[]) => {
      const options = JSON.stringify({ profile: "custom", baseUrl: server.url, pollSeconds: 0.1 })
      const given = ["openai-compatible", "--model", server.models[0] ?? "", "--options", options, ...words]
      const environment = { ...process.env, OPENAI_API_KEY: server.key }
      return outcomeOf(spawn(process.execPath, [join(import.meta.dirname, "live.ts"), ...given], { env: environment }))
    }
    expect(await live()).toMatchObject({ code: 3, stderr: expect.stringContaining("add --yes\nnothing was sent") })
    expect((await live("--yes", "--budget-usd", "none")).code).toBe(2)
    expect(server.calls).toEqual([])
    const { code, stdout, stderr } = await live("--yes")
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/"state": "succeeded"/)
    expect(stdout).toMatch(/"statuses": \[\s+"validating_files"/)
    expect(server.jobs).toHaveLength(1)
  } finally {
    server.close()
  }
})
