import type { BackendContext, FineTuneBackend } from "../core/contracts/backend.ts"
import { baseOf, type BaseModel } from "../core/training/model-ref.ts"
import { fetchAdapter } from "./_artifacts.ts"
import { generateAll, generating, stopGeneration } from "./_generation.ts"
import { beginTraining, cancelTraining, hasBegun, pollTraining, trainingLog } from "./_training.ts"
import type { Transport } from "./_transport.ts"
import type { Trainer, WorkOptions } from "./_work.ts"

/** What sets one runner apart from another. */
export interface RunnerParts {
  /** The backend's name. */
  readonly name: string
  readonly transport: Transport
  /** What the trainer's processes get to see for the base model, and nothing else. */
  environment(base: BaseModel): Readonly<Record<string, string>>
  readonly options: WorkOptions
  /** The trainer's Python and scripts there, made ready for the base model. */
  trainer(base: BaseModel): Promise<Trainer>
}

type Shared = Required<
  Pick<
    FineTuneBackend,
    "submit" | "find" | "poll" | "logs" | "cancel" | "fetch" | "generate" | "generating" | "stopGeneration" | "prepare"
  >
>

/**
 * What every runner does alike, over its transport: work is started in a process that outlives this one, found again by
 * the files of its state folder, and followed by its event log. Its lock makes a second start of the same run harmless.
 */
export function runner(context: BackendContext, parts: RunnerParts): Shared {
  const { name, transport, options } = parts
  const workshopFor = async (base: BaseModel) => ({
    transport,
    environment: parts.environment(base),
    options,
    trainer: await parts.trainer(base),
  })
  const pause = async (milliseconds: number) => {
    context.signal.throwIfAborted()
    await context.sleep(milliseconds)
  }
  return {
    async prepare(base) {
      await parts.trainer(base)
    },
    async submit(plan, files, { submissionKey }) {
      // A second start would do no harm; but one that has ended would be begun again.
      if (!(await hasBegun(transport, files, submissionKey)))
        await beginTraining(await workshopFor(baseOf(plan)), plan, files, submissionKey)
      return { backend: name, id: files.run, submissionKey }
    },
    async find(submissionKey, files) {
      const isKnown = await hasBegun(transport, files, submissionKey)
      return isKnown ? { backend: name, id: files.run, submissionKey } : undefined
    },
    poll: (job, files, cursor) => pollTraining(transport, job, files, cursor),
    logs: (_job, files, cursor) => trainingLog(transport, files, cursor),
    cancel: (job, files) => cancelTraining(transport, job, files, pause),
    fetch: (_job, files) => fetchAdapter(transport, files),
    async generate(request, onProgress) {
      await generateAll(context, await workshopFor(request.base), request, onProgress)
    },
    generating: (folder) => generating(transport, folder),
    stopGeneration: (folder) => stopGeneration(transport, folder, pause),
  }
}
