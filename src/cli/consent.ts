import { UsageError } from "../core/errors.ts"
import type { PaidTraining } from "../stages/context.ts"
import { describePlan } from "./describe-plan.ts"
import { showUsd } from "../stages/asking/money.ts"

/** How whoever runs a command can be asked. */
export interface Asker {
  /** Whether `--yes` was given. */
  readonly isAgreed: boolean
  /** Whether there is somebody at a terminal. */
  readonly canAsk: boolean
  readonly note: (message: string) => void
  readonly ask: (question: string) => Promise<string>
}

/** The plan and its estimate were shown, and whoever pays agreed, by `--yes` or by answering. */
export function askConsent(act: PaidTraining, asker: Asker): Promise<void> {
  return askAgreement(
    act.backend,
    act.raised === undefined ? describePlan(act) : describeRaised(act, act.raised),
    asker,
  )
}

function describeRaised(
  { backend, plan }: PaidTraining,
  { agreedUsd, askedUsd }: NonNullable<PaidTraining["raised"]>,
): string {
  return (
    `${backend} has the rows and asks about ${showUsd(askedUsd)} for the training of ${plan.baseModel}, ` +
    `more than the estimate of ${showUsd(agreedUsd)} before`
  )
}

/** The same for anything that costs money: who takes it, and the plan in words. */
export function askAgreement(payee: string, plan: string, asker: Asker): Promise<void> {
  const refusals = { nobody: `${payee} costs money and nobody can be asked here`, no: "not started" }
  return askWord({ plan, question: "Start it?", verb: "start", refusals }, asker)
}

/** What needs somebody's word before it is done. */
interface Act {
  readonly plan: string
  readonly question: string
  /** What `--yes` does. */
  readonly verb: string
  readonly refusals: { readonly nobody: string; readonly no: string }
}

/** The plan was shown, and somebody agreed to it. */
export async function askWord(
  { plan, question, verb, refusals }: Act,
  { isAgreed, canAsk, note, ask }: Asker,
): Promise<void> {
  if (isAgreed || !canAsk) note(plan)
  if (isAgreed) return
  if (!canAsk) throw new UsageError(refusals.nobody, `Give --yes to ${verb}.`)
  const answer = await ask(`${plan}\n${question} [y/N] `)
  if (!/^y(es)?$/i.test(answer.trim())) throw new UsageError(refusals.no, "Answer y, or give --yes.")
}

/** The most that something costs, in words; null where nobody knows the price. */
export function atMost(usd: number | null): string {
  return usd === null ? "at a price that nobody wrote down (prices.yaml)" : `for at most ${showUsd(usd)}`
}
