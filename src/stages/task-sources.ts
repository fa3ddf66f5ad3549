import type { TaskSpecification } from "../core/task/task.ts"
import type { Sources } from "../store/rows/remembered.ts"
import { TaskRows } from "../store/rows/task-rows.ts"
import type { StageContext } from "./context.ts"

/**
 * What an answer follows from that is made of a task's rows and decisions, its specification and the workspace's
 * settings. `semantics` is raised when the code makes another answer of the same.
 */
export function taskSources(
  { workspace, toolVersion }: StageContext,
  task: TaskSpecification,
  semantics: unknown,
  more: () => readonly string[] = () => [],
): Sources {
  const rows = new TaskRows(workspace, task.task)
  const { settings } = workspace
  return { asked: { semantics, toolVersion, task, settings }, files: () => [...rows.files(), ...more()] }
}
