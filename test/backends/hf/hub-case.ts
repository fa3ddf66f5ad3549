import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import hfJobs from "../../../src/backends/hf-jobs.ts"
import type { BackendContext, FineTuneBackend } from "../../../src/core/contracts/backend.ts"
import { makeFolder } from "../../../src/store/files/files.ts"
import { runFiles } from "../../../src/store/rows/run-files.ts"
import { Workspace } from "../../../src/store/workspace.ts"
import { backendContext } from "../../stages/training/workspace.ts"
import type { HostedCase } from "../hosted-contract.ts"
import { hostedPlan } from "../hosted-plan.ts"
import { HubServer } from "./server.ts"

export const hubModel = "HuggingFaceTB/SmolLM2-135M-Instruct"

/** The backend over a server of its own. */
export interface HubCase extends HostedCase {
  readonly server: HubServer
  /** With other options, or in other circumstances. */
  openWith(options: object, context?: Partial<BackendContext>): FineTuneBackend
}

export async function hubCase(): Promise<HubCase> {
  const server = await HubServer.start()
  const files = runFiles(Workspace.open(mkdtempSync(join(tmpdir(), "tuneloop-hub-"))), "run-1")
  makeFolder(join(files.folder, "rendered"))
  for (const file of [files.train, files.validation]) writeFileSync(file, '{"messages": []}\n')
  const plan = hostedPlan(hubModel)
  const openWith = (options: object, context: Partial<BackendContext> = {}) =>
    hfJobs.create(
      { ...backendContext({ HF_TOKEN: server.key }), ...context },
      hfJobs.options.parse({ baseUrl: server.url, settleSeconds: 0, quietSeconds: 0.1, ...options }),
    )
  const open = (signal = new AbortController().signal) => openWith({}, { signal })
  return {
    ...{ server, plan, files, open, openWith },
    openIn: (circumstances) => openWith({}, circumstances),
    calls: {
      create: /^POST \/api\/jobs\/tester$/,
      look: /^GET \/api\/jobs\/tester\/[^/?]+$/,
      list: /^GET \/api\/jobs\/tester(\?|$)/,
    },
    filesPerJob: 1,
    begun: () => server.jobs.length,
    let: async (what) => {
      if (what === "step") server.step()
      else if (what === "succeed") server.succeed()
      else server.end(server.newest, "ERROR", "the machine said no")
    },
    submitUnheard: async (submissionKey) => {
      server.faults.push({ call: /^POST \/api\/jobs\/tester$/, when: "after", answer: "cut" })
      await open()
        .submit(plan, files, { submissionKey, resume: false })
        .catch(() => undefined)
    },
    becomeStrange: async () => {
      server.newest.stage = "RETICULATING"
    },
    setReachable: async (isReachable) => {
      server.isReachable = isReachable
    },
    close: async () => server.close(),
  }
}
