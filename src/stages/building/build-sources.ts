import type { ConfiguredFilter } from "../../core/contracts/filter.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { licencesFile } from "../../store/licences.ts"
import type { Sources } from "../../store/rows/remembered.ts"
import { TaskRows } from "../../store/rows/task-rows.ts"
import { Versions } from "../../store/rows/versions.ts"
import type { StageContext } from "../context.ts"
import { taskSources } from "../task-sources.ts"
import { buildSemantics } from "./version-manifest.ts"

/** What a build without a model follows from, and the files that it writes. */
export function buildSources(
  context: StageContext,
  task: TaskSpecification,
  filters: readonly ConfiguredFilter[],
): Sources {
  const { workspace } = context
  const versions = new Versions(workspace, task.task)
  const { conflictsFile } = new TaskRows(workspace, task.task).review
  const { asked, files } = taskSources(context, task, buildSemantics, () => [
    licencesFile(workspace),
    ...task.build.benchmarks.map((file) => workspace.absolute(file)),
  ])
  return {
    asked: { asked, filters: filters.map(({ name, options }) => ({ name, options })) },
    files: () => files().filter((file) => file !== conflictsFile),
    written: () => [conflictsFile, ...versions.latestFiles(), ...versions.latestHoldoutFiles()],
  }
}
