import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type HostedCase, hostedContract } from "./hosted-contract.ts"
import { hostedPlan } from "./hosted-plan.ts"
import { OpenAiServer } from "./openai-server.ts"
import { backendContext } from "../stages/training/workspace.ts"
import openAiCompatible from "../../src/backends/openai-compatible.ts"
import { makeFolder } from "../../src/store/files/files.ts"
import { runFiles } from "../../src/store/rows/run-files.ts"
import { Workspace } from "../../src/store/workspace.ts"

hostedContract("openai-compatible", openAiCase)

async function openAiCase(): Promise<HostedCase> {
  const server = await OpenAiServer.start()
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-wire-"))
  const files = runFiles(Workspace.open(folder), "run-1")
  makeFolder(join(files.folder, "rendered"))
  for (const file of [files.train, files.validation]) writeFileSync(file, '{"messages": []}\n')
  const options = openAiCompatible.options.parse({ profile: "custom", baseUrl: server.url, settleSeconds: 0 })
  const openIn: HostedCase["openIn"] = (circumstances) =>
    openAiCompatible.create({ ...backendContext({ OPENAI_API_KEY: server.key }), ...circumstances }, options)
  const open = (signal = new AbortController().signal) => openIn({ signal })
  return {
    ...{ open, openIn, server },
    calls: { create: /^POST .*\/jobs$/, look: /^GET \S+\/jobs\/[^/?]+$/, list: /^GET \S+\/jobs(\?|$)/ },
    plan: hostedPlan(server.models[0] ?? ""),
    files,
    begun: () => server.jobs.length,
    let: async (what) => {
      if (what === "step") server.step()
      else if (what === "succeed") server.succeed()
      else server.end(server.newest, "failed", "the moderation said no")
    },
    submitUnheard: async (submissionKey) => {
      server.faults.push({ call: /^POST .*jobs$/, when: "after", answer: "cut" })
      await open()
        .submit(hostedPlan(server.models[0] ?? ""), files, { submissionKey, resume: false })
        .catch(() => undefined)
    },
    becomeStrange: async () => {
      server.newest.status = "reticulating_splines"
    },
    setReachable: async (isReachable) => {
      server.isReachable = isReachable
    },
    close: async () => server.close(),
  }
}
