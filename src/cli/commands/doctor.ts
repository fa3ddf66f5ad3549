import { accessSync, constants, existsSync, statfsSync } from "node:fs"
import type { Command } from "commander"
import type { BackendModule, Check } from "../../core/contracts/backend.ts"
import type { ModelModule } from "../../core/contracts/model.ts"
import { isTerminal, reduceRun, type RunSummary } from "../../core/training/run.ts"
import { ToolkitError, UsageError, redactSecrets } from "../../core/errors.ts"
import type { JobSpecification } from "../../core/training/job.ts"
import { backendChecks, type BackendUse } from "../backend-checks.ts"
import { count } from "../../evaluation/verdict/words.ts"
import { damagedHint } from "../../store/ledger/sqlite-ledger.ts"
import type { Host } from "../host.ts"
import { sunsetChecks } from "../models/sunset-checks.ts"
import { backendProblem, load, names } from "../plugins.ts"
import { nodeVersion, now, setExitCode } from "../machine.ts"
import { describeLease } from "../text/lease.ts"

export function register(command: Command, host: Host): void {
  command
    .option(
      "--backend <name>",
      "only this backend, by the jobs that name it: a plug-in's id,\nor a name under backends in tuneloop.yaml",
    )
    .addHelpText("after", "\nExample: tuneloop doctor --backend together")
    .action(({ backend }: { backend?: string }) => check(host, backend))
}

async function check(host: Host, backend: string | undefined): Promise<void> {
  const checks = backend === undefined ? await allChecks(host) : await namedBackendChecks(host, backend)
  const failed = checks.filter(({ status }) => status === "failed")
  const unset = checks.filter(isUnset)
  const lines = checks.filter((one) => !isUnset(one)).map((one) => describe(host, one))
  host.print({ checks, ok: failed.length === 0 }, [...lines, ...describeUnset(host, unset)].join("\n"))
  if (failed.length > 0) setExitCode(1)
}

async function allChecks(host: Host): Promise<Check[]> {
  return [
    { name: "node", status: "ok", detail: nodeVersion },
    ...(await attempted("workspace", () => [workspaceCheck(host)])),
    ...(await attempted("backends", () => allBackendChecks(host))),
    ...(await credentialChecks(host)),
    ...(await attempted("ledger", () => ledgerChecks(host))),
    ...(await attempted("models", () => sunsetChecks(host))),
  ]
}

/** The checks, or that they failed, so that one does not hide the others. */
async function attempted(name: string, work: () => Promise<Check[]> | Check[]): Promise<Check[]> {
  try {
    return await work()
  } catch (error) {
    const { code } = error as { code?: string }
    if (!(error instanceof ToolkitError) && code !== "ERR_SQLITE_ERROR") throw error
    const hint = error instanceof ToolkitError ? error.hint : damagedHint
    return [{ name, status: "failed", detail: (error as Error).message, ...(hint === undefined ? {} : { hint }) }]
  }
}

function isUnset({ name, status }: Check): boolean {
  return status === "missing" && /^[A-Z][A-Z0-9_]*$/.test(name)
}

/** Variables that are not set in one line: hardly anybody needs all. */
function describeUnset(host: Host, unset: readonly Check[]): string[] {
  if (unset.length === 0) return []
  const names = [...new Set(unset.map(({ name }) => name))].join(", ")
  return [
    `${host.terminal.paintOutput("missing", "33")}  not set: ${names}\n` +
      "         Only what uses one needs it: tuneloop doctor --json says what each is for.",
  ]
}

function describe(host: Host, { name, status, detail, hint }: Check): string {
  const mark = {
    ok: host.terminal.paintOutput("ok     ", "32"),
    missing: host.terminal.paintOutput("missing", "33"),
    warning: host.terminal.paintOutput("warning", "33"),
    failed: host.terminal.paintOutput("FAILED ", "31"),
  }[status]
  return `${mark}  ${name}: ${detail}${status !== "ok" && hint ? `\n         ${hint}` : ""}`
}

function workspaceCheck(host: Host): Check {
  const { folder, source } = host.workspaceFolder()
  if (!existsSync(folder))
    return {
      name: "workspace",
      status: "failed",
      detail: `${folder} (${source}) does not exist`,
      hint: `tuneloop init ${folder}`,
    }
  if (!host.hasWorkspace)
    return {
      name: "workspace",
      status: "warning",
      detail: `none here: neither ${folder} nor a folder above it has a tuneloop.yaml or specs/`,
      hint: "Make one: tuneloop init my-workspace; or name one: --workspace DIR",
    }
  const { bavail, bsize } = statfsSync(folder)
  if (!isWritable(folder))
    return {
      name: "workspace",
      status: "failed",
      detail: `${folder} (${source}) may not be written`,
      hint: "Check the folder's permissions; commands that only read work.",
    }
  return {
    name: "workspace",
    status: "ok",
    detail:
      `${folder} (${source}): ${count(host.workspace.tasks().length, "task")}, ` +
      `${count(host.workspace.jobs().length, "job")}, ` +
      `${((bavail * bsize) / 1e9).toFixed(1)} GB free`,
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** Every backend, with the options of the jobs that name it; a job that cannot be read is said to be so. */
async function allBackendChecks(host: Host): Promise<Check[]> {
  const { jobs, unreadable } = jobsOf(host)
  const checks: Check[] = []
  for (const name of names("backends")) checks.push(...(await checksOf(host, name, usesOf(name, jobs))))
  return [...checks, ...unknownBackends(host, jobs), ...unreadable]
}

/** Of a name of the workspace's own with its options; of a plug-in's id with those of the jobs that name it. */
async function namedBackendChecks(host: Host, name: string): Promise<Check[]> {
  const own = host.hasWorkspace ? host.workspace.settings.backends : {}
  const problem = backendProblem(name, [...names("backends"), ...Object.keys(own)])
  if (problem !== undefined) throw new UsageError(problem, "tuneloop doctor without --backend checks every one.")
  if (!Object.hasOwn(own, name)) return checksOf(host, name, usesOf(name, jobsOf(host).jobs))
  const { name: plugIn, options } = host.workspace.backendOf({ name, options: {} })
  return checksOf(host, plugIn, [{ job: name, options, mend: `Edit backends.${name} in tuneloop.yaml.` }])
}

function usesOf(name: string, jobs: readonly JobSpecification[]): BackendUse[] {
  return jobs
    .filter(({ backend }) => backend.name === name)
    .map(({ job, backend }) => ({ job, options: backend.options }))
}

async function checksOf(host: Host, name: string, uses: readonly BackendUse[]): Promise<Check[]> {
  return backendChecks(name, await load<BackendModule>("backends", name), uses, host.backendContext())
}

/** Jobs that nothing can train: their backend is not there, or has closed. */
function unknownBackends(host: Host, jobs: readonly JobSpecification[]): Check[] {
  return jobs.flatMap(({ job, backend }): Check[] => {
    const detail = backendProblem(backend.name, names("backends"))
    return detail === undefined
      ? []
      : [
          {
            name: `job ${job}`,
            status: "failed",
            detail,
            hint: `Edit backend in ${host.workspace.show(host.workspace.jobFile(job))}.`,
          },
        ]
  })
}

function jobsOf(host: Host): { jobs: JobSpecification[]; unreadable: Check[] } {
  const jobs: JobSpecification[] = []
  const unreadable: Check[] = []
  if (!host.hasWorkspace) return { jobs, unreadable }
  for (const name of host.workspace.jobs()) {
    try {
      jobs.push(host.workspace.readJob(name))
    } catch (error) {
      if (!(error instanceof ToolkitError)) throw error
      const [detail = ""] = error.message.split("\n")
      unreadable.push({ name: `job ${name}`, status: "failed", detail, hint: `tuneloop job check ${name}` })
    }
  }
  return { jobs, unreadable }
}

/** Says whether a credential is set, never a character of it. */
async function credentialChecks(host: Host): Promise<Check[]> {
  const modules = await Promise.all([
    ...names("backends").map((name) => load<BackendModule>("backends", name)),
    ...names("models").map((name) => load<ModelModule>("models", name)),
  ])
  // One key may serve a backend and a model provider.
  const variables = Map.groupBy(
    modules.flatMap((module) => module.environment),
    ({ name }) => name,
  )
  return [...variables].map(([name, uses]) => {
    const value = host.environment[name]
    if (value) return { name, status: "ok", detail: uses.some(({ secret }) => secret) ? "set" : redactSecrets(value) }
    const purposes = new Set(uses.map(({ purpose }) => purpose))
    return { name, status: "missing", detail: `not set: ${[...purposes].join("; ")}` }
  })
}

async function ledgerChecks(host: Host): Promise<Check[]> {
  if (!host.hasWorkspace || !existsSync(host.workspace.ledgerFile))
    return [{ name: "ledger", status: "ok", detail: "none yet" }]
  const ledger = host.context().readLedger()
  const problems = await ledger.verify()
  const runs: RunSummary[] = []
  for (const { run } of await ledger.runs.list()) runs.push(reduceRun(run, await ledger.runs.events(run)))
  const orphans = runs.filter((summary) => !isTerminal(summary.state) && summary.job === undefined)
  return [
    problems.length === 0
      ? {
          name: "ledger",
          status: "ok",
          detail: `${host.workspace.show(host.workspace.ledgerFile)}: ${count(runs.length, "run")}`,
        }
      : {
          name: "ledger",
          status: "failed",
          detail: problems.join("; "),
          hint: damagedHint,
        },
    orphans.length === 0
      ? { name: "runs", status: "ok", detail: "every live run has its remote job" }
      : {
          name: "runs",
          status: "failed",
          detail: `without a remote job: ${orphans.map(({ run, state }) => `${run} (${state})`).join(", ")}`,
          hint: "Run `tuneloop train <job>` again: it asks the backend what came of the submission.",
        },
    ...(await ledger.runs.leases())
      .filter(({ state }) => state !== "over")
      .map((lease): Check => ({ name: "deployment", status: "warning", detail: describeLease(lease, now()) })),
  ]
}
