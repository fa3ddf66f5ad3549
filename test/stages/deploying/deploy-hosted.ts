// Deploys, evaluates or undeploys a run as a command of its own would, and may be killed: `node deploy-hosted.ts JSON`.
// At its barrier it says so and goes no further.
import { undeployRun } from "../../../src/stages/deploying/undeploy.ts"
import { whileDeployed } from "../../../src/stages/deploying/while-deployed.ts"
import { stageContext } from "../training/workspace.ts"
import { deployed, openTogether } from "./deployable.ts"

export interface Settings {
  readonly folder: string
  readonly run: string
  readonly url: string
  readonly key: string
  /** `evaluate` asks what it deployed one question. */
  readonly what: "deploy" | "evaluate" | "undeploy"
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
const context = stageContext(folder)
if (what === "deploy") await deployed(context, run, backend)
else if (what === "undeploy") await undeployRun(context, run, backend)
else {
  const terms = { hours: 1, consent: async () => undefined, reopen: async () => backend }
  await whileDeployed(context, run, backend, terms, async ({ model }) => {
    const messages = [{ role: "user", content: "How are you?" }]
    const headers = { authorization: `Bearer ${settings.key}` }
    await network(`${settings.url}/chat/completions`, {
      method: "POST",
      headers,
      body: JSON.stringify({ model, messages }),
    })
  })
}
