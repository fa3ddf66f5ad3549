import { reviewSplit } from "../../core/contracts/ledger.ts"
import { isLoopback } from "../../core/asking/prices.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { TextSearch } from "../../core/text-search.ts"
import { filesOfPeople, gitFolder, isSaid } from "../../store/erasing/files-of-people.ts"
import { isThere, placedPath } from "../../store/rows/model-places.ts"
import { keyOf, type RemainingPlace } from "../../store/erasing/remaining.ts"
import type { StageContext } from "../context.ts"
import type { ReachedExport, ReachedRun } from "./erase-runs.ts"

/** What an erasure found, as far as it lies elsewhere. */
export interface FoundElsewhere {
  readonly runs: readonly ReachedRun[]
  readonly exports: readonly ReachedExport[]
  /** The keys of the requests that lose their texts. */
  readonly requests: readonly string[]
  readonly search: TextSearch
  /** Whether the task's files had a row. */
  readonly hadRows: boolean
}

/** Where what an erasure takes away lies as well, each with what a person has to do about it. */
export async function remainingElsewhere(
  context: StageContext,
  task: TaskSpecification,
  found: FoundElsewhere,
): Promise<RemainingPlace[]> {
  const { workspace } = context
  const { saying, unread } = filesOfPeople(workspace, task.task, found.search)
  const exported = new Set(found.exports.map(({ path }) => path))
  const sheets = (await context.readLedger().exports.of(task.task)).filter(({ split }) => split === reviewSplit)
  const sheetPaths = new Set(sheets.map(({ path }) => path))
  const history = found.hadRows ? gitFolder(workspace) : undefined
  const places = [
    ...found.runs.flatMap(ofRun),
    ...found.exports.filter(({ exists }) => exists).map(ofExport),
    ...[...sheetPaths]
      .filter((path) => isThere(workspace, path))
      .filter((path) => saying.includes(path) || !isPlain(path) || isSaid(placedPath(workspace, path), found.search))
      .map(ofSheet),
    ...saying.filter((path) => !exported.has(path) && !sheetPaths.has(path)).map(ofFile),
    ...unread.filter((path) => !exported.has(path) && !sheetPaths.has(path)).map(ofUnread),
    ...(history === undefined ? [] : [ofGit(workspace.show(history))]),
    ...(await hostsOf(context, found.requests)).map(ofProvider),
  ]
  return [...new Map(places.map((place) => [keyOf(place), place])).values()]
}

/** Whether a person has done what was to be done; of what only its owner can say, nobody knows. */
export async function isDone(
  context: StageContext,
  place: RemainingPlace,
  current: ReadonlySet<string>,
  search: TextSearch,
): Promise<boolean> {
  const { workspace } = context
  switch (place.kind) {
    case "adapter":
    case "export":
    case "unread":
      return !isThere(workspace, place.place)
    case "file":
    case "task":
      if (!isThere(workspace, place.place)) return true
      return !search.isEmpty && !isSaid(placedPath(workspace, place.place), search)
    case "upload":
    case "deployment":
      return !current.has(keyOf(place)) && (await isRunKnown(context, place.place))
    default:
      return false
  }
}

/** The run's name comes first in the place of what it left at a service. */
async function isRunKnown(context: StageContext, place: string): Promise<boolean> {
  const run = place.split(" ", 1)[0] ?? ""
  return (await context.readLedger().runs.list()).some((each) => each.run === run)
}

function ofRun({ run, state, splits, adapter, remote, uploads, purge, leases }: ReachedRun): RemainingPlace[] {
  const named = uploads.map(({ remoteId, file }) => `${remoteId} (${file})`).join(", ")
  const isTrained = splits.includes("train")
  const isElsewhere = remote !== undefined && remote.backend !== "local"
  return [
    ...(adapter === undefined || !isTrained
      ? []
      : [
          {
            kind: "adapter" as const,
            place: adapter,
            todo: `run ${run} trained it on the rows: delete the folder and its copies, and train again`,
          },
        ]),
    ...(!isElsewhere || !isTrained
      ? []
      : [
          {
            kind: "model" as const,
            place: `${run} (${state}): remote job ${remote.id} of ${remote.backend}`,
            todo: "delete the model that it made, and the job, at the service",
          },
        ]),
    ...(purge === undefined
      ? []
      : [{ kind: "upload" as const, place: `${run} ${named || "what was uploaded so far"}`, todo: purge }]),
    ...leases.map(({ key }) => ({
      kind: "deployment" as const,
      place: `${run} lease ${key}`,
      todo: `tuneloop runs undeploy ${run}`,
    })),
  ]
}

function ofExport({ path, format, split, at }: ReachedExport): RemainingPlace {
  return {
    kind: "export",
    place: path,
    todo: `delete it and what was uploaded from it (${format}, ${split}, ${at.slice(0, 10)})`,
  }
}

function ofSheet(path: string): RemainingPlace {
  return { kind: "export", place: path, todo: "a sheet for reviewers: delete it, and the copies that were sent" }
}

function ofFile(path: string): RemainingPlace {
  const [first, task, name] = path.split("/")
  return first === "datasets" && name !== undefined
    ? { kind: "task", place: path, todo: `another task has the text: tuneloop dataset erase ${task} --matching TEXT` }
    : { kind: "file", place: path, todo: "a person wrote it: take the text out, or delete it" }
}

function ofUnread(path: string): RemainingPlace {
  return {
    kind: "unread",
    place: path,
    todo: "packed or too large to look into: look whether it has the rows, and delete it",
  }
}

function ofGit(place: string): RemainingPlace {
  return {
    kind: "git",
    place,
    todo: "commits keep what files said: rewrite the history (git filter-repo), and tell whoever has a clone",
  }
}

function ofProvider(host: string): RemainingPlace {
  return { kind: "provider", place: host, todo: "models there were shown the rows: ask for what is kept to be deleted" }
}

function isPlain(path: string): boolean {
  return path.toLowerCase().endsWith(".csv")
}

/** The hosts beyond this machine that the requests went to. */
async function hostsOf(context: StageContext, keys: readonly string[]): Promise<string[]> {
  const found = await context.readLedger().requests.find(keys)
  const hosts = [...found.values()].flatMap(({ request }) =>
    request === undefined || isLoopback(request.baseUrl) ? [] : [new URL(request.baseUrl).host],
  )
  return [...new Set(hosts)].sort()
}
