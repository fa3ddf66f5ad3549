import together from "../../../src/backends/together.ts"
import type { StageContext } from "../../../src/stages/context.ts"
import { type DeployingBackend, requireDeployer } from "../../../src/stages/deploying/deployers.ts"
import { deployRun, type DeployResult } from "../../../src/stages/deploying/deploy.ts"
import type { DeploymentPlan } from "../../../src/stages/deploying/plan-deployment.ts"
import { syncRun } from "../../../src/stages/training/sync.ts"
import { train } from "../../../src/stages/training/train.ts"
import { TogetherServer } from "../../backends/together-server.ts"
import { backendContext, stageContext, trainableWorkspace } from "../training/workspace.ts"

/** A workspace with a run that Together's server has finished. */
export async function deployableRun(): Promise<{ folder: string; server: TogetherServer; run: string }> {
  const server = await TogetherServer.start()
  const options = { baseUrl: server.url, settleSeconds: 0 }
  const backend = { name: "together", options }
  const folder = await trainableWorkspace({ baseModel: server.model, backend })
  const context = stageContext(folder)
  const { workspace } = context
  const opened = openTogether(server)
  const { run } = (await train(context, workspace.readJob("mood"), workspace.readTask("mood"), opened)).run
  server.succeed()
  await syncRun(context, run, opened)
  return { folder, server, run }
}

interface Circumstances {
  readonly settleSeconds?: number
  readonly fetch?: typeof fetch
  readonly now?: () => Date
}

export function openTogether(
  { url, key }: { readonly url: string; readonly key: string },
  { settleSeconds = 0, fetch: given = fetch, now = () => new Date() }: Circumstances = {},
): DeployingBackend {
  const options = together.options.parse({ baseUrl: url, settleSeconds })
  return requireDeployer(together.create({ ...backendContext({ TOGETHER_API_KEY: key }, now), fetch: given }, options))
}

/** Deploys the run for an hour; whoever is asked agrees, and what they agreed to is in `agreed`. */
export function deployed(
  context: StageContext,
  run: string,
  backend: DeployingBackend,
  agreed: DeploymentPlan[] = [],
  hours = 1,
): Promise<DeployResult> {
  return deployRun(context, run, backend, { hours, consent: async (plan) => void agreed.push(plan) })
}
