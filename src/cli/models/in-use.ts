import { hostOf } from "../../core/asking/model-match.ts"
import type { ModelModule } from "../../core/contracts/model.ts"
import { ToolkitError } from "../../core/errors.ts"
import type { JobSpecification } from "../../core/training/job.ts"
import { modelsInUse, type Hosts, type ModelInUse } from "../../stages/models/models-in-use.ts"
import type { Host } from "../host.ts"
import { load, names } from "../plugins.ts"

/** The models that the workspace depends on. What cannot be read is passed over, and said by whoever reads it. */
export async function readModelsInUse(host: Host, onUnreadable: (message: string) => void): Promise<ModelInUse[]> {
  const { workspace } = host
  const readable = <Value>(given: readonly string[], read: (name: string) => Value): Value[] =>
    given.flatMap((name) => {
      try {
        return [read(name)]
      } catch (error) {
        if (!(error instanceof ToolkitError)) throw error
        onUnreadable(error.message)
        return []
      }
    })
  const written = {
    tasks: readable(workspace.tasks(), (task) => workspace.readTask(task)),
    jobs: readable(workspace.jobs(), (job) => workspace.readJob(job)),
    environmentModel: host.environment["TUNELOOP_MODEL"],
  }
  return modelsInUse(host.context(), written, hostsOf(host))
}

function hostsOf(host: Host): Hosts {
  return {
    async ofProvider(provider, baseUrl) {
      if (baseUrl !== undefined) return hostOf(baseUrl)
      if (!names("models").includes(provider)) return undefined
      return defaultHost(host, await load<ModelModule>("models", provider))
    },
    ofBackend: (choice) => backendHost(host, choice),
  }
}

/** The host that a provider asks by itself: known without a key, which nobody needs to look at a date. */
function defaultHost({ environment, fetch }: Host, module: ModelModule): string | undefined {
  const keys = module.environment.flatMap(({ name, secret }) => (secret ? [[name, "hf_none"] as const] : []))
  const readText = () => {
    throw new Error("nothing is read here")
  }
  try {
    return hostOf(module.create({ ...environment, ...Object.fromEntries(keys) }, { fetch, readText }).baseUrl)
  } catch {
    return undefined
  }
}

/** The host of a backend that is a service. One that cannot be made, for want of its options, is asked by nobody. */
async function backendHost(host: Host, choice: JobSpecification["backend"]): Promise<string | undefined> {
  try {
    return (await host.backend(choice)).host
  } catch (error) {
    if (!(error instanceof ToolkitError)) throw error
    return undefined
  }
}
