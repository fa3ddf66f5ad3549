import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeAll, beforeEach, describe } from "vitest"
import type { Ledger } from "../../../src/core/contracts/ledger.ts"
import { asksContract } from "./contract-requests.ts"
import { processesContract } from "./contract-processes.ts"
import { recordsContract } from "./contract-records.ts"
import { runsContract } from "./contract-runs.ts"

/** Opens the ledger of a folder, or of whatever stands for one: every handle of a folder is one ledger. */
export type OpenLedger = (folder: string) => Ledger | Promise<Ledger>

/** What a test of the contract has: one ledger, and as many handles on it as it wants. */
export interface LedgerBench {
  readonly folder: string
  /** The URL of the module whose default export is an `OpenLedger`, for other processes. */
  readonly opener: string
  open(): Promise<Ledger>
}

/** What every store behind the ledger promises. `opener` is the URL of a module that opens it by default. */
export function ledgerContract(name: string, opener: string): void {
  describe(name, () => {
    let openLedger: OpenLedger
    let bench: LedgerBench
    let handles: Ledger[] = []
    beforeAll(async () => {
      openLedger = ((await import(opener)) as { default: OpenLedger }).default
    })
    beforeEach(() => {
      const folder = mkdtempSync(join(tmpdir(), "tuneloop-ledger-"))
      const open = async () => {
        const ledger = await openLedger(folder)
        handles.push(ledger)
        return ledger
      }
      bench = { folder, opener, open }
    })
    afterEach(async () => {
      for (const ledger of handles) await ledger.close()
      handles = []
    })
    runsContract(() => bench)
    asksContract(() => bench)
    recordsContract(() => bench)
    processesContract(() => bench)
  })
}
