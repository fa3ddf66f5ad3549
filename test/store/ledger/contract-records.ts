import { describe, expect, it } from "vitest"
import type { LedgerBench } from "./contract.ts"

/** Openings of test sets, exports, and the whole ledger's soundness. */
export function recordsContract(bench: () => LedgerBench): void {
  describe("openings and exports", () => {
    it("are written down once, in their order, and are there for whoever opens it next", async () => {
      const ledger = await bench().open()
      const opening = { task: "t", holdout: "hold_1", evaluation: "eval_1", purpose: "verdict" }
      await Promise.all([ledger.openings.record(opening), ledger.openings.record(opening)])
      await ledger.openings.record({ ...opening, evaluation: "eval_2", purpose: "later" })
      await ledger.openings.record({ ...opening, holdout: "hold_2" })
      const entry = {
        task: "t",
        version: "ds_1",
        holdout: "hold_1",
        format: "messages",
        split: "train",
        path: "out/train.jsonl",
        rows: 3,
        digest: "sha256:1",
      }
      await ledger.exports.record(entry)
      await ledger.exports.record({ ...entry, rows: 4 })
      await ledger.exports.record({ ...entry, digest: "sha256:2" })
      await ledger.exports.record({ ...entry, task: "other", path: "elsewhere" })
      const again = await bench().open()
      expect((await again.openings.of("hold_1")).map(({ evaluation, purpose }) => [evaluation, purpose])).toEqual([
        ["eval_1", "verdict"],
        ["eval_2", "later"],
      ])
      const exported = await again.exports.of("t")
      expect(exported.map(({ digest, rows }) => [digest, rows])).toEqual([
        ["sha256:1", 3],
        ["sha256:2", 3],
      ])
      expect(exported[0]).toMatchObject(entry)
      expect(await again.exports.of("none")).toEqual([])
    })

    it("leave a sound ledger", async () => {
      const ledger = await bench().open()
      await ledger.runs.create({ run: "r", job: "j", task: "t", plan: "p" })
      await ledger.openings.record({ task: "t", holdout: "h", evaluation: "e", purpose: "p" })
      expect(await ledger.verify()).toEqual([])
      expect(ledger.isReadOnly).toBe(false)
    })
  })
}
