// Submits as another process would, and dies before it can record the job: `node submit-and-die.ts JSON`.
import { contextOf, type Opener, plan, type RunnerPlace, runFiles } from "./runner-case.ts"

const { place, submissionKey } = JSON.parse(process.argv[2] ?? "") as { place: RunnerPlace; submissionKey: string }
const opener = (await import(place.module)) as Opener
const backend = opener.open(contextOf(place.workspace), place)
await backend.submit(plan, runFiles(place.workspace), { submissionKey, resume: false })
process.kill(process.pid, "SIGKILL")
