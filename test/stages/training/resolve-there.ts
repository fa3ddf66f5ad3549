// Resolves a run of a workspace as a command on another machine would: `node resolve-there.ts JSON`.
import { join } from "node:path"
import openAiCompatible from "../../../src/backends/openai-compatible.ts"
import { resolveSubmission } from "../../../src/stages/training/resolve.ts"
import { readPlan, runFiles } from "../../../src/store/rows/run-files.ts"
import { backendContext, stageContext } from "./workspace.ts"

interface Settings {
  readonly folder: string
  readonly key: string
  readonly run: string
  readonly created?: string
}

const { folder, key, run, created } = JSON.parse(process.argv[2] ?? "") as Settings
const context = stageContext(folder)
// Machines that share a ledger share no lock.
context.workspace.lockFile = (name) => join(folder, ".tuneloop", `${process.pid}.${name}.lock`)
const plan = readPlan(runFiles(context.workspace, run))
if (plan === undefined) throw new Error("there is no plan")
const options = openAiCompatible.options.parse(plan.backend.options)
const backend = openAiCompatible.create(backendContext({ OPENAI_API_KEY: key }), options)
try {
  const { state } = await resolveSubmission(context, run, { plan, backend }, { by: `${process.pid}`, created })
  process.stdout.write(state)
} catch (error) {
  const { code, message } = error as Error & { readonly code?: string }
  process.stdout.write(`${code}: ${message}`)
}
