// Deploys or undeploys a run as a command of its own would, and may be killed: `node deploy-hosted.ts JSON`. At its
// barrier it says so and goes no further.
import { undeployRun } from "../../../src/stages/deploying/undeploy.ts"
import { stageContext } from "../training/workspace.ts"
import { deployed, openTogether } from "./deployable.ts"

export interface Settings {
  readonly folder: string
  readonly run: string
  readonly url: string
  readonly key: string
  readonly what: "deploy" | "undeploy"
  readonly barrier?: { readonly call: string; readonly when: "before" | "answered" }
}

const settings = JSON.parse(process.argv[2] ?? "") as Settings
const { folder, run, what, barrier } = settings

/** The network, which ends at the barrier: before a call leaves, or when its answer has come. */
const network: typeof fetch = async (input, init) => {
  const isThere = barrier !== undefined && new RegExp(barrier.call).test(`${init?.method} ${String(input)}`)
  if (isThere && barrier.when === "before") return stand()
  const response = await fetch(input, init)
  return isThere ? stand() : response
}

/** Never resolves, and keeps the process. */
function stand(): Promise<never> {
  process.stdout.write("here\n")
  return new Promise(() => setInterval(() => undefined, 1000))
}

const backend = openTogether(settings, { settleSeconds: 0.3, fetch: network })
if (what === "deploy") await deployed(stageContext(folder), run, backend)
else await undeployRun(stageContext(folder), run, backend)
