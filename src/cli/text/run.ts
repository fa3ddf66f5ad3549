import { isTerminal, type RunSummary } from "../../core/training/run.ts"

/** `step 40/132, loss 0.412, eval loss 0.510, 210 tokens/s, 2 min left`, from a run's fold. */
export function describeProgress(summary: RunSummary, now: Date): string {
  if (isTerminal(summary.state)) return `${summary.run}: ${summary.state}`
  if (summary.totalSteps === undefined) return `${summary.run}: ${summary.state}, getting ready`
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

function secondsLeft(summary: RunSummary, now: Date): number | undefined {
  if (summary.startedAt === undefined || summary.totalSteps === undefined || summary.step === 0) return undefined
  const elapsed = (now.getTime() - Date.parse(summary.startedAt)) / 1000
  return (elapsed / summary.step) * (summary.totalSteps - summary.step)
}
