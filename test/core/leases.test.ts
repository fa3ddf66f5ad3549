import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { LeaseEventBody } from "../../src/core/training/lease.ts"
import { leasesOf, leasesUsd, leaseUsd, reachedLeaseCeiling } from "../../src/core/training/leases.ts"
import type { RunEvent } from "../../src/core/training/run.ts"

const noon = Date.parse("2026-11-30T12:00:00Z")
const at = (minutes: number) => new Date(noon + minutes * 60_000).toISOString()
const terms = (key: string, hours = 1) => ({
  ...({ key, purpose: "serving", hardware: "h100", usdPerHour: 6 } as const),
  ...{ asOf: "2026-11-30", source: "this test", until: at(60 * hours) },
})
const deployment = { backend: "b", id: "1", model: "m" }
const eventsOf = (bodies: readonly LeaseEventBody[]): RunEvent[] =>
  bodies.map((body, index) => ({ run: "r", sequence: index + 1, at: at(index), ...body }))

describe("the leases of a run", () => {
  it("are uncertain until the service is heard of, and cost what they lasted", () => {
    const begun = eventsOf([{ type: "deploying", lease: terms("a") }])
    expect(leasesOf(begun)).toMatchObject([{ run: "r", key: "a", state: "uncertain", askedAt: at(0) }])
    const deployed = eventsOf([
      { type: "deploying", lease: terms("a") },
      { type: "deployed", lease: "a", deployment },
    ])
    const [lease] = leasesOf(deployed)
    expect(lease).toMatchObject({ state: "deployed", deployment })
    expect(lease && leaseUsd(lease, new Date(at(30)))).toBe(3)
    // What goes on counts to its end, and beyond it where nobody ended it.
    expect([leasesUsd(leasesOf(deployed), new Date(at(30))), leasesUsd(leasesOf(deployed), new Date(at(90)))]).toEqual([
      6, 9,
    ])
  })

  it("that turn up after they were given up go on billing", () => {
    const events = eventsOf([
      { type: "deploying", lease: terms("a") },
      { type: "undeployed", lease: "a", endedAt: at(0), usd: 0, reason: "nothing was made for it" },
      { type: "deployed", lease: "a", deployment },
    ])
    expect(leasesOf(events)).toMatchObject([{ state: "deployed", usd: undefined, endedAt: undefined }])
  })

  it("never pass a ceiling that each was held against before", () => {
    const hours = fc.array(
      fc.record({ hours: fc.integer({ min: 1, max: 9 }), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
    )
    fc.assert(
      fc.property(hours, fc.integer({ min: 0, max: 200 }), (wishes, ceilingUsd) => {
        let bodies: LeaseEventBody[] = []
        for (const [index, wish] of wishes.entries()) {
          const lease = terms(String(index), wish.hours)
          if (reachedLeaseCeiling(leasesOf(eventsOf(bodies)), lease, ceilingUsd, new Date(noon)) !== undefined) continue
          const usd = 6 * wish.hours * wish.share
          bodies = [
            ...bodies,
            { type: "deploying", lease },
            { type: "undeployed", lease: lease.key, endedAt: lease.until, usd },
          ]
        }
        expect(leasesUsd(leasesOf(eventsOf(bodies)), new Date(noon))).toBeLessThanOrEqual(ceilingUsd + 1e-9)
      }),
    )
  })
})
