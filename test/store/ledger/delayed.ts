import type { Ledger } from "../../../src/core/contracts/ledger.ts"

/** A ledger that is far away: before every call, and after it, passes a time that nobody foresees. */
export function delayed(ledger: Ledger, random: () => number, longestMs = 4): Ledger {
  const pause = () => new Promise((done) => setTimeout(done, random() * longestMs))
  const part = <Part extends object>(inner: Part): Part =>
    new Proxy(inner, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== "function") return value
        return async (...given: readonly unknown[]) => {
          await pause()
          const result: unknown = await Reflect.apply(value, target, given)
          await pause()
          return result
        }
      },
    })
  return {
    isReadOnly: ledger.isReadOnly,
    runs: part(ledger.runs),
    requests: part(ledger.requests),
    openings: part(ledger.openings),
    exports: part(ledger.exports),
    scrub: () => pause().then(() => ledger.scrub()),
    verify: () => pause().then(() => ledger.verify()),
    close: () => ledger.close(),
  }
}
