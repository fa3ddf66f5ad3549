import type { Command } from "commander"
import { existsSync } from "node:fs"
import { ToolkitError } from "../../core/errors.ts"
import type { Host } from "../host.ts"

export function register(command: Command, host: Host): void {
  command
    .command("verify")
    .description("check that the ledger is sound")
    .action(() => {
      const file = host.workspace.ledgerFile
      if (!existsSync(file)) return host.print({ ok: true, runs: 0, problems: [] }, "there is no ledger yet")
      const ledger = host.context().readLedger()
      const problems = ledger.verify()
      const { requests, answered } = ledger.requestTotals()
      if (problems.length > 0)
        throw new ToolkitError(`the ledger has ${problems.length} problems: ${problems.join("; ")}`, {
          code: "ledger",
          hint: "Keep a copy of the file before anything else.",
        })
      host.print(
        { ok: true, runs: ledger.runs().length, requests, answered, problems },
        `the ledger is sound: ${ledger.runs().length} runs, ${requests} requests, ${answered} answered`,
      )
    })
}
