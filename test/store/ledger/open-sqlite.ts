import { join } from "node:path"
import type { Ledger } from "../../../src/core/contracts/ledger.ts"
import { SqliteLedger } from "../../../src/store/ledger/sqlite-ledger.ts"

/** The ledger in the folder, for the contract. */
export default function open(folder: string): Ledger {
  return SqliteLedger.open(join(folder, "ledger.db"), () => new Date("2026-11-30T12:00:00Z"))
}
