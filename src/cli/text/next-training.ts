import type { Workspace } from "../../store/workspace.ts"
import { backendProblem, names } from "../plugins.ts"

/** The command that trains the task, by a job whose backend takes jobs; else what says why none can be trained. */
export function nextTraining(workspace: Workspace, task: string): string {
  const jobs = workspace.jobsOf(task)
  const [first] = jobs
  if (first === undefined) return `write jobs/${task}.yaml (tuneloop schema job)`
  const known = names("backends")
  const open = jobs.find((job) => backendProblem(workspace.readJob(job).backend.name, known) === undefined)
  return open === undefined ? `tuneloop job check ${first}` : `tuneloop train ${open} --wait`
}
