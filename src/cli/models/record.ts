import { type Command, InvalidArgumentError } from "commander"
import { secretPart } from "../../core/addresses.ts"
import { nameSchema } from "../../core/names.ts"
import { planRecording, record, type RecordingPlan, type RecordingResult } from "../../stages/models/record.ts"
import { chatServer } from "../chat-server.ts"
import { askAgreement, atMost } from "../consent.ts"
import type { Host } from "../host.ts"
import { dollars, positive } from "../numbers.ts"
import { readCheckedTask } from "../plugins.ts"
import { resolveHoldout } from "../resolve-holdout.ts"

interface RecordFlags {
  readonly task: string
  readonly as: string
  readonly baseUrl?: string
  readonly apiKeyEnv?: string
  readonly keyHeader?: string
  readonly inputs?: string
  readonly holdout?: string
  readonly maxNewTokens?: number
  readonly budgetUsd?: number
  readonly concurrency: number
  readonly retryEmpty?: boolean
}

export function registerRecord(command: Command, host: Host): void {
  command
    .command("record")
    .argument("<model>", "the model's name at the server")
    .description("keep a model's answers to the holdout, while it still answers")
    .requiredOption("--task <task>", "the task whose holdout is asked")
    .requiredOption("--as <name>", "the name to keep the answers by, for the contender\nrecorded:<name>", recordingName)
    .option("--base-url <url>", "an OpenAI-compatible server (default: that of\nOPENAI_BASE_URL, or OpenAI)", address)
    .option("--api-key-env <name>", "the variable with its key (default for OpenAI:\nOPENAI_API_KEY)")
    .option("--key-header <name>", "the header for the key, such as api-key (default:\nauthorization, as a bearer)")
    .option("--inputs <file>", "ask the inputs of this file as well")
    .option("--holdout <id>", "another holdout than that of the newest version")
    .option("--max-new-tokens <n>", "the most tokens of an answer (default: from the gold\noutputs)", positive)
    .option("--budget-usd <x>", "the most that the answers may cost, in US dollars", dollars)
    .option("--concurrency <n>", "questions in flight at once", positive, 4)
    .option("--retry-empty", "ask again what was answered without a text (refused, cut\noff, unreadable, empty)")
    .option("--yes", "do not ask before spending money")
    .addHelpText(
      "after",
      "\nThe model is asked with the task's prompt at temperature 0. Its answers are\nappended to " +
        "datasets/<task>/recorded/<name>.jsonl; run again to go on. Recording\nis not an opening of the test set: " +
        "nothing of its rows is shown. Scoring is.\nExample: tuneloop models record " +
        "ft:gpt-4o-mini-2024-07-18:acme::AbC1 \\\n  --task ticket-triage --as old-model --budget-usd 1\n" +
        "Then: tuneloop evaluate latest --against zero-shot,recorded:old-model",
    )
    .action(async (model: string, flags: RecordFlags) => {
      const context = host.context()
      const { open, baseUrl } = await chatServer(host, flags)
      const plan = await planRecording(context, {
        task: await readCheckedTask(host.workspace, flags.task),
        name: flags.as,
        model,
        baseUrl,
        maxTokens: flags.maxNewTokens,
        holdout: flags.holdout === undefined ? undefined : resolveHoldout(host.workspace, flags.task, flags.holdout),
        inputs: flags.inputs === undefined ? undefined : host.path(flags.inputs),
        concurrency: flags.concurrency,
        retryEmpty: flags.retryEmpty === true,
        budgetUsd: flags.budgetUsd,
        command: commandOf(model, flags),
      })
      if (plan.unasked > 0 && plan.worstUsd !== 0)
        await askAgreement(new URL(baseUrl).host, describePlan(plan), host.asker)
      const result = await record(context, plan, open)
      host.print(recordData(plan, result), describe(plan, result))
    })
}

/** The command that goes on with the same recording. */
function commandOf(model: string, flags: RecordFlags): string {
  const { task, as, baseUrl, apiKeyEnv, keyHeader, inputs, holdout, maxNewTokens } = flags
  const given = {
    ...{ "--task": task, "--as": as, "--base-url": baseUrl, "--api-key-env": apiKeyEnv, "--key-header": keyHeader },
    ...{ "--inputs": inputs, "--holdout": holdout, "--max-new-tokens": maxNewTokens },
  }
  const options = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]))
  return ["tuneloop models record", model, ...options].join(" ")
}

function describePlan({ model, baseUrl, unasked, worstUsd, terms, budgetUsd }: RecordingPlan): string {
  const cost = atMost(worstUsd)
  const ceiling = budgetUsd === undefined ? "" : `, never above --budget-usd ${budgetUsd}`
  return (
    `${model} at ${new URL(baseUrl).host} is asked ${unasked} questions, answers of at most ${terms.maxTokens} ` +
    `tokens, ${cost}${ceiling}`
  )
}

function recordData({ rows, recording, terms, name, task }: RecordingPlan, result: RecordingResult) {
  return {
    task: task.task,
    name,
    ...result,
    file: recording.place,
    holdout: rows.holdout,
    rows: { validation: rows.validation.length, test: rows.test.length, inputs: rows.inputs.length },
    ...terms,
  }
}

function describe(
  { rows, recording, name, terms }: RecordingPlan,
  { state, added, cut, silent, silences }: RecordingResult,
): string {
  const inputs = rows.inputs.length === 0 ? "" : ` and ${rows.inputs.length} inputs`
  const kinds = Object.entries(silences).map(([kind, times]) => `${times} ${kind}`)
  const asked = `${rows.validation.length} validation rows, ${rows.test.length} test rows${inputs}`
  return [
    state === "unchanged"
      ? `unchanged: ${recording.place} has the answers to ${asked}`
      : `${added} answers added to ${recording.place}, which has those to ${asked}`,
    ...(cut === 0 ? [] : [`${cut} answers were cut at ${terms.maxTokens} tokens; a longer recording has another name`]),
    ...(silent === 0 ? [] : [`${silent} answers have no text (${kinds.join(", ")}); ask again with --retry-empty`]),
    `compare with it: tuneloop evaluate <run> --against recorded:${name}`,
  ].join("\n")
}

function recordingName(text: string): string {
  const { error } = nameSchema.safeParse(text)
  if (error) throw new InvalidArgumentError(error.issues[0]?.message ?? "")
  return text
}

function address(text: string): string {
  const isAddress = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
  if (!isAddress) throw new InvalidArgumentError("must be an address that begins with http:// or https://")
  const secret = secretPart(text)
  if (secret !== undefined) throw new InvalidArgumentError(`must not have ${secret} in it`)
  return text
}
