import { type SunsetEntry, sunsetsElsewhere, sunsetsOf, type Sunset } from "../../core/asking/sunsets.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { JobSpecification } from "../../core/training/job.ts"
import type { ModelRef } from "../../core/training/model-ref.ts"
import { reduceRun } from "../../core/training/run.ts"
import { readAdopted } from "../../store/rows/adopted-runs.ts"
import { readPlan, runFiles } from "../../store/rows/run-files.ts"
import { readSunsets } from "../../store/sunsets.ts"
import type { StageContext } from "../context.ts"

/** Who needs a model, and for what: a key of a file that people write, or what a run has of it. */
export interface ModelUse {
  readonly kind: "specification" | "job" | "run"
  readonly name: string
  readonly task: string
  readonly as: string
}

/** A model that the workspace depends on; `host` is undefined where weights are used here, or nobody knows. */
export interface ModelInUse {
  readonly model: string
  readonly host: string | undefined
  readonly usedBy: readonly ModelUse[]
  /** What ends and when, the soonest first; empty where no end is known. */
  readonly sunsets: readonly Sunset[]
  /** What is known of models of its name at other hosts, where nothing is of its own. */
  readonly elsewhere: readonly SunsetEntry[]
}

/** Who answers where: what only the plug-ins know. Undefined where there is no such host, or it is not known. */
export interface Hosts {
  ofProvider(provider: string, baseUrl: string | undefined): Promise<string | undefined>
  ofBackend(choice: JobSpecification["backend"]): Promise<string | undefined>
}

/** What the specifications and jobs say; those of them that could be read. */
export interface Written {
  readonly tasks: readonly TaskSpecification[]
  readonly jobs: readonly JobSpecification[]
  /** The model that grows where a specification names none. */
  readonly environmentModel: string | undefined
}

/** Every model that the specifications, jobs and runs of the workspace name, what ends soonest first. */
export async function modelsInUse(context: StageContext, written: Written, hosts: Hosts): Promise<ModelInUse[]> {
  const found = new Map<string, { model: string; host: string | undefined; usedBy: ModelUse[] }>()
  const uses = [...(await usesOfTasks(written, hosts)), ...(await usesOfJobs(written, hosts))]
  for (const { model, host, use } of [...uses, ...(await usesOfRuns(context, hosts))]) {
    const key = JSON.stringify([model, host ?? null])
    const known = found.get(key) ?? { model, host, usedBy: [] }
    found.set(key, known)
    known.usedBy.push(use)
  }
  const entries = readSunsets(context.workspace)
  const today = context.now()
  return [...found.values()]
    .map((used) => {
      const sunsets = sunsetsOf(used, entries, today).filter((sunset) => concerns(sunset, used))
      const elsewhere = sunsets.length > 0 ? [] : sunsetsElsewhere(used, entries)
      return { ...used, sunsets, elsewhere: elsewhere.filter((entry) => concerns(entry, used)) }
    })
    .sort((a, b) => soonest(a) - soonest(b) || (a.model < b.model ? -1 : a.model > b.model ? 1 : 0))
}

interface Found {
  readonly model: string
  readonly host: string | undefined
  readonly use: ModelUse
}

async function usesOfTasks({ tasks, environmentModel }: Written, hosts: Hosts): Promise<Found[]> {
  const found: Found[] = []
  for (const { task, expand, build } of tasks) {
    const add = (model: string | undefined, host: string | undefined, as: string) => {
      if (model !== undefined) found.push({ model, host, use: { kind: "specification", name: task, task, as } })
    }
    const { provider = "openai", baseUrl, model } = expand.model ?? {}
    const grows = model ?? (Object.keys(expand.strategies).length === 0 ? undefined : environmentModel)
    const host = await hosts.ofProvider(provider, baseUrl)
    add(grows, host, "expand.model")
    add(expand.checks.secondPass?.model, host, "expand.checks.secondPass.model")
    add(expand.checks.judge?.model, host, "expand.checks.judge.model")
    const { semantic } = build
    if (semantic !== undefined)
      add(semantic.model, await hosts.ofProvider("openai", semantic.baseUrl), "build.semantic.model")
  }
  return found
}

async function usesOfJobs({ jobs }: Written, hosts: Hosts): Promise<Found[]> {
  const found: Found[] = []
  for (const { job, task, baseModel, backend } of jobs)
    found.push({
      model: baseModel,
      host: await hosts.ofBackend(backend),
      use: { kind: "job", name: job, task, as: "baseModel" },
    })
  return found
}

/** The bases of all runs, and the models that somebody else keeps for them. */
async function usesOfRuns(context: StageContext, hosts: Hosts): Promise<Found[]> {
  const found: Found[] = []
  const ledger = context.readLedger()
  for (const { run, task } of await ledger.runs.list()) {
    const files = runFiles(context.workspace, run)
    const origin = readPlan(files) ?? readAdopted(files)
    const { model, job } = reduceRun(run, await ledger.runs.events(run))
    if (origin === undefined) continue
    const host = await hosts.ofBackend(origin.backend)
    const use = { kind: "run", name: run, task } as const
    if (job !== undefined && origin.baseModel !== null)
      found.push({ model: origin.baseModel, host, use: { ...use, as: "base model" } })
    const kept = model && keptElsewhere(model)
    if (kept !== undefined)
      found.push({
        model: kept.model,
        host: kept.baseUrl === undefined ? host : await hosts.ofProvider("openai", kept.baseUrl),
        use: { ...use, as: "tuned model" },
      })
  }
  return found
}

function keptElsewhere(model: ModelRef): { model: string; baseUrl?: string } | undefined {
  switch (model.kind) {
    case "hosted":
      return { model: model.id }
    case "deployment":
      return { model: model.model }
    case "endpoint":
      return { model: model.model, baseUrl: model.baseUrl }
    default:
      return undefined
  }
}

/** That no more jobs are taken matters where a job would train. */
function concerns({ what }: Pick<Sunset, "what">, { usedBy }: Pick<ModelInUse, "usedBy">): boolean {
  return what === "serving" || usedBy.some(({ kind }) => kind === "job")
}

function soonest({ sunsets }: ModelInUse): number {
  return sunsets[0]?.daysLeft ?? Infinity
}
