import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { backendContract, type BackendCase } from "./contract.ts"
import { OpenAiServer } from "./openai-server.ts"
import openAiWire from "./openai-wire.ts"
import { backendContext } from "../stages/training/workspace.ts"
import type { TrainingPlan } from "../../src/core/contracts/backend.ts"
import { jobSchema } from "../../src/core/training/job.ts"
import { makeFolder } from "../../src/store/files/files.ts"
import { runFiles } from "../../src/store/rows/run-files.ts"
import { Workspace } from "../../src/store/workspace.ts"

backendContract("openai-wire", openAiCase)

async function openAiCase(): Promise<BackendCase> {
  const server = await OpenAiServer.start()
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-wire-"))
  const files = runFiles(Workspace.open(folder), "run-1")
  makeFolder(join(files.folder, "rendered"))
  for (const file of [files.train, files.validation]) writeFileSync(file, '{"messages": []}\n')
  const options = openAiWire.options.parse({ baseUrl: server.url, settleMs: 0, pageSize: 3 })
  const open = (signal = new AbortController().signal) =>
    openAiWire.create({ ...backendContext({ OPENAI_API_KEY: server.key }), signal }, options)
  return {
    open,
    plan: planOf(server.models[0] ?? ""),
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
        .submit(planOf(server.models[0] ?? ""), files, { submissionKey, resume: false })
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

function planOf(baseModel: string): TrainingPlan {
  const job = jobSchema.parse({ job: "mood", task: "mood", baseModel })
  const file = { rows: 1, bytes: 17, digest: "sha256:0" }
  return {
    ...{ schemaVersion: 1, job: job.job, task: job.task, baseModel, revision: null, backend: job.backend },
    ...{ dataset: "ds_0", holdout: "hold_0", prompt: "prompt_0", objective: job.objective, method: job.method },
    ...{ hyperparameters: job.hyperparameters, seed: 1, files: { train: file, validation: file } },
  }
}
