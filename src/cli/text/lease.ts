import { isExpired, type Lease, leaseUsd } from "../../core/training/leases.ts"
import { showUsd } from "../../stages/asking/money.ts"
import type { DeploymentPlan } from "../../stages/deploying/plan-deployment.ts"

/** A deployment before it is made: what, where, and what it costs. */
export function describeDeployment({ run, model, backend, offer, hours, purpose, usd }: DeploymentPlan): string {
  const { hardware, usdPerHour, asOf, source } = offer
  const end =
    purpose === "evaluation"
      ? `it is torn down when the evaluation ends, and may go on for ${hours} h at most`
      : `its lease is of ${hours} h; the next \`tuneloop runs sync\` after that tears it down`
  return [
    `would deploy ${"id" in model ? model.id : run} at ${backend} on ${hardware}`,
    `price: ${showUsd(usdPerHour)} an hour, asked or idle (as of ${asOf}: ${source}); up to ${showUsd(usd)}`,
    end,
  ].join("\n")
}

/** What a lease says under --json. */
export function leaseData(lease: Lease, now: Date): Record<string, unknown> {
  const { run, key, purpose, state, hardware, usdPerHour, asOf, source, askedAt, until, endedAt, reason } = lease
  return {
    ...{ run, lease: key, purpose, state, hardware, usdPerHour, asOf, source, since: askedAt, until },
    ...{ usd: Number(leaseUsd(lease, now).toFixed(4)), isBilling: state !== "over", isExpired: isExpired(lease, now) },
    ...{ endedAt: endedAt ?? null, reason: reason ?? null, deployment: lease.deployment ?? null },
  }
}

/** A lease that is not over, in a line: what it costs, since when, and how it ends. */
export function describeLease(lease: Lease, now: Date): string {
  const { run, state, hardware, usdPerHour, askedAt, until, purpose } = lease
  const what = {
    uncertain: "may be deployed, nobody knows yet,",
    deployed: "is deployed",
    undeploying: "was told to end and may be deployed still",
    over: "was deployed",
  }[state]
  const cost = `${showUsd(usdPerHour)} an hour since ${minute(askedAt)}, about ${showUsd(leaseUsd(lease, now))} so far`
  return `${run} ${what} on ${hardware}${purpose === "evaluation" ? " for an evaluation" : ""}: ${cost}; ${endOf()}`

  function endOf(): string {
    if (isExpired(lease, now)) return `its lease ended ${minute(until)} and it may still bill: tuneloop runs sync`
    return `its lease ends ${minute(until)}; end it now: tuneloop runs undeploy ${run}`
  }
}

/** A lease that is over, in a line. */
export function describeEndedLease({ hardware, askedAt, endedAt, usd, reason }: Lease): string {
  const cost = usd === undefined ? "" : `, about ${showUsd(usd)}`
  return `was deployed on ${hardware}, ${minute(askedAt)} to ${minute(endedAt ?? askedAt)}${cost}: ${reason ?? "ended"}`
}

/** `2026-11-30 21:05 UTC`. */
function minute(time: string): string {
  return `${time.slice(0, 16).replace("T", " ")} UTC`
}
