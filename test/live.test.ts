import { spawn } from "node:child_process"
import { join } from "node:path"
import { expect, it } from "vitest"
import { OpenAiServer } from "./backends/openai-server.ts"
import { outcomeOf } from "./command-line.ts"

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
    expect(await live()).toMatchObject({ code: 3, stderr: expect.stringContaining("add --yes") })
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
