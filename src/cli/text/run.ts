import { isTerminal, type RunSummary, trainingSeconds } from "../../core/training/run.ts"
import { count } from "../../evaluation/verdict/words.ts"

/** `step 40/132, loss 0.412, eval loss 0.510, 210 tokens/s, 2 min left`, from a run's fold. */
export function describeProgress(summary: RunSummary, now: Date): string {
  if (isTerminal(summary.state)) return `${summary.run}: ${summary.state}`
  if (summary.state === "uncertain" || summary.totalSteps === undefined)
    return `${summary.run}: ${describeUnmeasured(summary)}`
  const last = (name: string) => summary.metrics.findLast((point) => point.values[name] !== undefined)?.values[name]
  const loss = last("loss")
  const evalLoss = last("evalLoss")
  const speed = last("tokensPerSecond")
  const parts = [`step ${summary.step}/${summary.totalSteps}`]
  if (loss !== undefined) parts.push(`loss ${loss.toFixed(3)}`)
  if (evalLoss !== undefined) parts.push(`eval loss ${evalLoss.toFixed(3)}`)
  if (speed !== undefined) parts.push(`${Math.round(speed)} tokens/s`)
  const left = secondsLeft(summary, now)
  if (left !== undefined) parts.push(left >= 90 ? `${Math.round(left / 60)} min left` : `${Math.round(left)} s left`)
  return `training: ${parts.join(", ")}`
}

/** `succeeded after 132 steps in 151 s`. */
export function describeEnd(run: RunSummary): string {
  const seconds = trainingSeconds(run)
  return `${run.state} after ${count(run.step, "step")}${seconds === null ? "" : ` in ${Math.round(seconds)} s`}`
}

/** How a run ended, or how far it is. */
export function describeState(summary: RunSummary, now: Date): string {
  if (isTerminal(summary.state)) return describeEnd(summary)
  if (summary.state === "uncertain" || summary.totalSteps === undefined) return describeUnmeasured(summary)
  return describeProgress(summary, now)
}

/** How far a run is that does not say how many steps it has. */
function describeUnmeasured({ state, step }: RunSummary): string {
  if (state === "uncertain") return "uncertain, it is not known whether it has a job"
  return step > 0 ? `${state}, step ${step}` : `${state}, getting ready`
}

/** Why a run is in its state, and what to do where it is open what came of it. */
export function describeReason({ state, message, hint }: RunSummary): string[] {
  return [message, state === "uncertain" ? hint : undefined].filter((line) => line !== undefined)
}

function secondsLeft(summary: RunSummary, now: Date): number | undefined {
  if (summary.startedAt === undefined || summary.totalSteps === undefined || summary.step === 0) return undefined
  const elapsed = (now.getTime() - Date.parse(summary.startedAt)) / 1000
  // A trainer whose clock is ahead of this one's has begun in the future.
  if (elapsed <= 0) return undefined
  return (elapsed / summary.step) * (summary.totalSteps - summary.step)
}
