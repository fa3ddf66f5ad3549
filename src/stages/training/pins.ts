import type { FineTuneBackend, TrainingPlan } from "../../core/contracts/backend.ts"
import { baseOf } from "../../core/training/model-ref.ts"
import { type BasePin, readBasePin, writeBasePin } from "../../store/rows/base-pin.ts"
import { runFiles } from "../../store/rows/run-files.ts"
import type { StageContext } from "../context.ts"

/** What the plan's base model is now; undefined where that cannot be known yet. */
export async function pinNow(
  context: StageContext,
  backend: FineTuneBackend,
  plan: TrainingPlan,
): Promise<BasePin | undefined> {
  const base = baseOf(plan)
  const pin = await backend.pin?.(base)
  if (pin === undefined) return undefined
  return { schemaVersion: 1, ...base, pin, pinnedAt: context.now().toISOString(), source: backend.name }
}

/**
 * The newest run of the plan from this very base: another pin is another plan. A run that has no pin yet takes this
 * one. Where the pin cannot be known, nothing is concluded from it.
 */
export async function runOfPlan(
  context: StageContext,
  plan: string,
  pin: BasePin | undefined,
): Promise<string | undefined> {
  const runs = (await context.ledger().runs.list({ plan })).map(({ run }) => ({
    run,
    pin: readBasePin(runFiles(context.workspace, run))?.pin,
  }))
  if (pin === undefined) return runs[0]?.run
  const known = runs.find((run) => run.pin === pin.pin) ?? runs.find((run) => run.pin === undefined)
  if (known !== undefined) keepPin(context, known.run, pin)
  else if (runs[0] !== undefined)
    context.report.note(
      `${pin.model} has changed since ${runs[0].run}: it was ${runs[0].pin} and is ${pin.pin}; this is a new run`,
    )
  return known?.run
}

/** The run's base is pinned; a pin that it has already stays. */
export function keepPin(context: StageContext, run: string, pin: BasePin | undefined): void {
  const files = runFiles(context.workspace, run)
  if (pin !== undefined && readBasePin(files) === undefined) writeBasePin(files, pin)
}
