import type { Ledger } from "../../../src/core/contracts/ledger.ts"
import { seeded } from "../../seeded.ts"
import { delayed } from "./delayed.ts"
import open from "./open-sqlite.ts"

let handles = 0

/** The same ledger, somewhere far away. */
export default function openDelayed(folder: string): Ledger {
  return delayed(open(folder), seeded(++handles))
}
