import { isHoldoutId, type FrozenId } from "../../core/rows/frozen-ids.ts"
import type { Command } from "commander"
import { UsageError } from "../../core/errors.ts"
import { describeDrops } from "../../stages/building/version-content.ts"
import { traceOf, type Trace, type TracedRow } from "../../stages/versions/trace.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { Host } from "../host.ts"
import { findHoldout } from "../resolve-holdout.ts"
import { resolveVersion } from "./versions.ts"

export function registerShow(command: Command, host: Host): void {
  command
    .command("show")
    .argument(
      "<what>",
      "a version (ds_…, the beginning of one, or latest), a holdout (hold_…), a row (ex_…, cand_…, seed_…, input_…), " +
        "or the task's name before one",
    )
    .argument("[id]", "the id, after a task's name")
    .description("show a version or holdout, or a row and everything it came from")
    .addHelpText(
      "after",
      "\nOf a row: the files and ancestors it came from, what models were asked word for\nword, every " +
        "check and decision, and the versions that have it or left it out.\nExample: tuneloop dataset show " +
        "ticket-triage ex_3f2a9c0d11e87b54",
    )
    .action(async (what: string, id: string | undefined) => {
      const tasks = id === undefined ? host.workspace.tasks() : [host.workspace.readTask(what).task]
      const wanted = id ?? what
      const version = versionOf(host, tasks, wanted, id === undefined ? undefined : what)
      if (version !== undefined) showVersion(host, version.task, version.id)
      else await showRow(host, tasks, wanted)
    })
}

/** The version or holdout that is meant; undefined for what can only be a row. */
function versionOf(
  host: Host,
  tasks: readonly string[],
  wanted: string,
  task: string | undefined,
): { readonly task: string; readonly id: FrozenId } | undefined {
  if (wanted === "latest" || /^(ds_)?[0-9a-f]*$/.test(wanted)) return resolveVersion(host, wanted, task)
  if (!wanted.startsWith("hold_")) return undefined
  const found = tasks.flatMap((name) => {
    const id = findHoldout(host.workspace, name, wanted)
    return id === undefined ? [] : [{ task: name, id }]
  })
  if (found.length !== 1 || found[0] === undefined) throw unknown(wanted)
  return found[0]
}

function showVersion(host: Host, task: string, id: FrozenId): void {
  const store = new Versions(host.workspace, task)
  if (isHoldoutId(id)) {
    const holdout = store.manifest(id)
    const rows = (file: string) => holdout.files[file]?.rows ?? 0
    host.print(
      { ...holdout },
      `${id}, holdout of ${task}: ${rows("validation.jsonl")} validation and ${rows("test.jsonl")} test ` +
        `rows\nfolder ${host.workspace.show(store.folder(id))}`,
    )
    return
  }
  const manifest = store.manifest(id)
  const erased = store.erasedPart(manifest)
  host.print(
    { ...manifest, erased: erased !== undefined },
    `${id} of ${task}: read ${manifest.read}, kept ${manifest.kept}, dropped ` +
      `${describeDrops(manifest.dropped)}\nholdout ${manifest.holdout}\nfolder ` +
      `${host.workspace.show(store.folder(id))}${erased === undefined ? "" : `\nrows were erased from ${erased}: it cannot be trained on`}`,
  )
}

async function showRow(host: Host, tasks: readonly string[], id: string): Promise<void> {
  if (!/^(ex|pref|cand|seed|input)_/.test(id)) throw unknown(id)
  for (const name of tasks) {
    let trace: Trace
    try {
      trace = await traceOf(host.context(), host.workspace.readTask(name), id)
    } catch (error) {
      if (error instanceof UsageError && tasks.length > 1) continue
      throw error
    }
    // Of several versions the one that was built last.
    const { version, file, row } = trace.versions.at(-1) ?? {}
    host.print({ ...trace, ...(version === undefined ? {} : { version, file, example: row }) }, describeTrace(trace))
    return
  }
  throw unknown(id)
}

function unknown(id: string): UsageError {
  return new UsageError(`nothing in this workspace is called ${id}`, "tuneloop dataset ls lists the versions.")
}

function describeTrace(trace: Trace): string {
  const { versions, rows, missing, requests, requestsElsewhere, decisions, standing } = trace
  const [newest] = versions.slice(-1)
  return [
    `${trace.id} of ${trace.task}`,
    ...(newest === undefined ? [] : [`in ${newest.version} (${newest.file})`, JSON.stringify(newest.row, null, 2)]),
    ...versions
      .slice(0, -1)
      .map(({ version, file, row }) => `in ${version} (${file}${"reason" in row ? `: ${row.reason}` : ""})`),
    ...rows.flatMap(describeRow),
    ...missing.map((id) => `from ${id}, which no file has any more`),
    ...requests.flatMap(describeRequest),
    ...requestsElsewhere.map((key) => `asked by request ${key}, which the ledger of this machine does not have`),
    ...decisions.map(({ at, reviewer, verdict, item, output, reason, source, isCurrentGuideline }) => {
      const place = source === undefined ? "" : `, from ${source.file} row ${source.row}`
      const what = output === undefined ? verdict : `${verdict} ${JSON.stringify(output)}`
      return (
        `decision ${at} ${reviewer}: ${what} on ` +
        `${item}${reason === undefined ? "" : `, "${reason}"`}${place}${isCurrentGuideline ? "" : ", under an earlier guideline"}`
      )
    }),
    ...(standing === undefined ? [] : [`stands ${standing.state}${"by" in standing ? ` by ${standing.by}` : ""}`]),
  ].join("\n")
}

function describeRow(row: TracedRow): string[] {
  const { id, kind, file, split, generation, input, output, strategy, model, source, checks = [], confidence } = row
  const origin = [
    strategy,
    model,
    source === undefined ? undefined : `source ${source}`,
    confidence === undefined ? undefined : `confidence ${confidence}`,
  ]
  const said =
    input === undefined ? "sealed for the test" : JSON.stringify({ input, ...(output === undefined ? {} : { output }) })
  return [
    `${generation === 0 ? "made of" : "grown from"} ${kind} ${id} (${file}, ${split}${origin
      .filter((part) => part !== undefined)
      .map((part) => `, ${part}`)
      .join("")})`,
    `  ${said}`,
    ...checks.map(
      ({ name, ok, value, detail }) =>
        `  check ${name}: ` +
        `${ok ? "passed" : "failed"}${value === undefined ? "" : `, ${value}`}${detail === undefined ? "" : `, ${detail}`}`,
    ),
  ]
}

function describeRequest({
  key,
  row,
  sentAt,
  attempts,
  isErased,
  request,
  answer,
}: Trace["requests"][number]): string[] {
  return [
    `asked for ${row}: ${key}, sent ` +
      `${sentAt}${attempts > 1 ? `, ${attempts} times` : ""}${isErased ? "; what it said was erased" : ""}`,
    ...(request?.messages.map(
      ({ role, content }) =>
        `  ${role}: ${typeof content === "string" ? content.replaceAll("\n", "\n    ") : JSON.stringify(content)}`,
    ) ?? []),
    ...(answer === undefined || isErased ? [] : [`  answered: ${answer.text.replaceAll("\n", "\n    ")}`]),
  ]
}
