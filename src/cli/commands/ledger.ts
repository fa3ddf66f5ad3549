import type { Command } from "commander"
import { existsSync } from "node:fs"
import { ToolkitError } from "../../core/errors.ts"
import { type Cost, costsOf } from "../../stages/growing/costs.ts"
import { showUsd } from "../../stages/asking/money.ts"
import { damagedHint } from "../../store/ledger/sqlite-ledger.ts"
import { count } from "../../evaluation/verdict/words.ts"
import type { Host } from "../host.ts"

export function register(command: Command, host: Host): void {
  command
    .command("verify")
    .description("check that the ledger is sound")
    .action(async () => {
      const file = host.workspace.ledgerFile
      if (!existsSync(file)) return host.print({ ok: true, runs: 0, problems: [] }, "there is no ledger yet")
      const ledger = host.context().readLedger()
      const problems = await ledger.verify()
      if (problems.length > 0)
        throw new ToolkitError(`the ledger has ${problems.length} problems: ${problems.join("; ")}`, {
          code: "ledger",
          hint: damagedHint,
        })
      const { requests, answered } = await ledger.requests.totals()
      const runs = (await ledger.runs.list()).length
      host.print(
        { ok: true, runs, requests, answered, problems },
        `the ledger is sound: ${runs} runs, ${requests} requests, ${answered} answered`,
      )
    })
  command
    .command("costs")
    .argument("[task]", "only this task's")
    .description("what requests to models cost, by strategy and accepted example")
    .addHelpText(
      "after",
      "\nWhat is in flight or unknown counts at its worst case, and so does an answer\nwhose tokens the " +
        "server did not count, or not in a way that can be true.\nExample: tuneloop ledger costs ticket-triage",
    )
    .action(async (task: string | undefined) => {
      if (task !== undefined) host.workspace.readTask(task)
      const costs = await costsOf(host.context(), task)
      host.print({ costs }, costs.map(describeCost).join("\n") || "no model was asked")
    })
  command
    .command("recording")
    .argument("<task>", "the task's name")
    .description("print what a model was asked and answered, for the provider replay")
    .addHelpText("after", "\nExample: tuneloop ledger recording ticket-triage > recording.jsonl")
    .action(async (task: string) => {
      host.workspace.readTask(task)
      const recording = await host.context().readLedger().requests.recording(task)
      host.print({ recording }, recording.map((entry) => JSON.stringify(entry)).join("\n"))
    })
}

function describeCost({
  task,
  strategy,
  attempts,
  inputTokens,
  outputTokens,
  usd,
  unpriced,
  unknown,
  uncounted,
  accepted,
  usdPerAccepted,
}: Cost): string {
  const price =
    unpriced === attempts
      ? "at an unknown price"
      : `${showUsd(usd)}${unpriced > 0 ? ` and ${unpriced} at an unknown price` : ""}`
  const each = usdPerAccepted === null ? "" : `, ${showUsd(usdPerAccepted)} each`
  const marks = [unknown > 0 ? `${unknown} unknown` : "", uncounted > 0 ? `${uncounted} at their worst case` : ""]
  const marked = marks.filter((mark) => mark !== "").join(", ")
  return (
    `${task} ${strategy}: ${count(attempts, "request")} sent${marked === "" ? "" : ` (${marked})`}, ` +
    `${inputTokens} + ${outputTokens} tokens, ${price}; ${accepted} accepted${each}`
  )
}
