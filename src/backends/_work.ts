import { mkdirSync, renameSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import type { BaseModel } from "../core/training/model-ref.ts"
import { JobMayExistError, ProviderError } from "../core/errors.ts"
import { toLogPage } from "./_work-events.ts"
import { readProcess, type WorkProcess } from "./_work-state.ts"
import type { ProcessRef, Transport } from "./_transport.ts"

/**
 * A piece of work for a script of the trainer: it reads its request, and says how it gets on in the files of its state
 * folder (who runs, its events, its end). All paths are those of this machine; the same ones on the other machine are
 * found by `Transport.place`.
 */
export interface Work {
  readonly script: string
  /** What the script is asked; the folder `state` is added. */
  readonly request: object
  readonly requestFile: string
  readonly state: string
  readonly log: string
  /** Names the attempt; without one, work that is done may be done again. */
  readonly submissionKey?: string
  /** Files and folders that the script reads. */
  readonly inputs: readonly string[]
}

/** The trainer on the machine where the work is done. */
export interface Trainer {
  readonly python: string
  /** The folder of its scripts. */
  readonly folder: string
  /** The base model by its name there. */
  readonly base: BaseModel
}

/** What work is done with. */
export interface Workshop {
  readonly transport: Transport
  readonly trainer: Trainer
  readonly environment: Readonly<Record<string, string>>
  readonly options: WorkOptions
}

/** What every piece of work is asked beside its own matter. */
export interface WorkOptions {
  readonly threads?: number | undefined
}

/**
 * The work goes on by itself from here: its process has written down who it is, and survives this one. Where another
 * process already does this very work, that one is returned.
 */
export async function begin({ transport, trainer, environment }: Workshop, work: Work): Promise<ProcessRef> {
  writeWhole(work.requestFile, `${JSON.stringify({ ...work.request, state: transport.place(work.state) }, null, 2)}\n`)
  for (const file of [...work.inputs, work.requestFile]) await transport.put(file, transport.place(file))
  const before = await readProcess(transport, work.state)
  const started = await transport.start({
    words: commandOf(trainer, work.script, [transport.place(work.requestFile)]),
    environment,
    folder: transport.place(work.state),
    log: transport.place(work.log),
  })
  try {
    return await untilItSaysWhoItIs(transport, work, started, (known) =>
      work.submissionKey === undefined
        ? known.pid !== before?.pid || known.startedTicks !== before.startedTicks
        : known.submissionKey === work.submissionKey,
    )
  } catch (error) {
    if (!(error instanceof ProviderError) || !error.isRetryable) throw error
    throw new JobMayExistError(error.message, { provider: error.provider, isRetryable: true, cause: error })
  }
}

/** Python imports the installed packages and the scripts' own folder, and nothing that lies in a workspace. */
export function commandOf(
  { python, folder }: Trainer,
  script: string,
  words: readonly string[],
): readonly [string, ...string[]] {
  return [python, "-I", join(folder, "launch.py"), script, ...words]
}

/** The file holds the text, or what it held before, whenever this process dies. */
export function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.part`
  writeFileSync(temporary, text, { flush: true })
  renameSync(temporary, path)
}

/** The last lines of a log, for an error. */
export async function lastLines(transport: Transport, log: string): Promise<string> {
  const { text } = toLogPage(await transport.read(transport.place(log)), 0)
  return text.trim().split("\n").slice(-3).join(" / ").slice(-400) || "it wrote nothing to its log"
}

/** The process is over: it is asked to end, and after a minute made to. */
export async function stopProcess(
  transport: Transport,
  process: ProcessRef,
  sleep: (milliseconds: number) => Promise<void>,
): Promise<void> {
  for (let waitedMs = 0; await transport.isAlive(process); waitedMs += 200) {
    if (waitedMs === 0) await transport.signal(process, "TERM")
    if (waitedMs === 60_000) await transport.signal(process, "KILL")
    await sleep(200)
  }
}

/** Not cut short by an interrupt: who began a process must know whether it lives. */
async function untilItSaysWhoItIs(
  transport: Transport,
  work: Work,
  started: ProcessRef,
  isMeant: (known: WorkProcess) => boolean,
): Promise<ProcessRef> {
  for (;;) {
    // Asked before the file is read: a process that ended in between has written it by then.
    const isAlive = await transport.isAlive(started)
    const known = await readProcess(transport, work.state)
    if (known !== undefined && isMeant(known)) return known
    if (!isAlive)
      throw new ProviderError(`the trainer did not start: ${await lastLines(transport, work.log)}`, {
        provider: transport.name,
        mayHaveCost: false,
        hint: `See ${transport.place(work.log)}.`,
      })
    await delay(50)
  }
}
