import type { LeasedDeployment, LeaseTerms } from "./lease.ts"
import type { RunEvent } from "./run.ts"

/** A lease by the events of its run. */
export interface Lease extends LeaseTerms {
  readonly run: string
  /** When it was asked for, and counts from. */
  readonly askedAt: string
  /**
   * `uncertain`: it is not known whether the service made anything for it. `undeploying`: the service was told to end
   * it, and has not been heard of since. `over`: nothing of it bills.
   */
  readonly state: "uncertain" | "deployed" | "undeploying" | "over"
  readonly deployment: LeasedDeployment | undefined
  /** When the service was first told to end it. */
  readonly endingAt: string | undefined
  readonly endedAt: string | undefined
  /** What it cost; undefined until it is over. */
  readonly usd: number | undefined
  readonly reason: string | undefined
}

/** The leases of a run by its events, oldest first. */
export function leasesOf(events: readonly RunEvent[]): readonly Lease[] {
  return events.reduce<readonly Lease[]>(applied, [])
}

function applied(leases: readonly Lease[], event: RunEvent): readonly Lease[] {
  const change = (key: string, changes: (lease: Lease) => Partial<Lease>) =>
    leases.map((lease) => (lease.key === key ? { ...lease, ...changes(lease) } : lease))
  switch (event.type) {
    case "deploying":
      return [...leases, { ...event.lease, ...begun, run: event.run, askedAt: event.at }]
    case "deployed":
      // One that was thought never to have been made may turn up late.
      return change(event.lease, () => ({ ...begun, state: "deployed", deployment: event.deployment }))
    case "undeploying":
      return change(event.lease, ({ endingAt }) => ({ state: "undeploying", endingAt: endingAt ?? event.at }))
    case "undeployed": {
      const { endedAt, usd, reason } = event
      return change(event.lease, () => ({ state: "over", endedAt, usd, reason }))
    }
    default:
      return leases
  }
}

const begun = {
  state: "uncertain",
  deployment: undefined,
  endingAt: undefined,
  endedAt: undefined,
  usd: undefined,
  reason: undefined,
} as const

/** What the lease costs from when it was asked for until then; what is over costs no more. */
export function leaseUsd({ usd, usdPerHour, askedAt }: Lease, until: Date): number {
  return usd ?? (usdPerHour * Math.max(0, until.getTime() - Date.parse(askedAt))) / 3_600_000
}

/** What leases cost: those that are not over count to their end, or until now where that is later. */
export function leasesUsd(leases: readonly Lease[], now: Date): number {
  return leases.reduce(
    (sum, lease) => sum + leaseUsd(lease, new Date(Math.max(now.getTime(), Date.parse(lease.until)))),
    0,
  )
}

/** The ceiling that a lease on these terms would pass, costing all of its time; undefined where it passes none. */
export function reachedLeaseCeiling(
  leases: readonly Lease[],
  { usdPerHour, until }: Pick<LeaseTerms, "usdPerHour" | "until">,
  ceilingUsd: number | undefined,
  now: Date,
): { readonly limitUsd: number; readonly spentUsd: number } | undefined {
  if (ceilingUsd === undefined) return undefined
  const spentUsd = leasesUsd(leases, now)
  const hours = Math.max(0, Date.parse(until) - now.getTime()) / 3_600_000
  return spentUsd + usdPerHour * hours > ceilingUsd ? { limitUsd: ceilingUsd, spentUsd } : undefined
}

/** Whether its time is up. */
export function isExpired({ until }: Pick<Lease, "until">, now: Date): boolean {
  return Date.parse(until) <= now.getTime()
}
