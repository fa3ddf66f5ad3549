import { isLoopback } from "../core/asking/prices.ts"
import type { ChatModel, ModelModule } from "../core/contracts/model.ts"
import { UsageError } from "../core/errors.ts"
import type { Host } from "./host.ts"
import { load } from "./plugins.ts"

/** An OpenAI-compatible server, and the variable with its key. */
export interface ServerChoice {
  readonly baseUrl?: string | undefined
  readonly apiKeyEnv?: string | undefined
  readonly keyHeader?: string | undefined
}

const defaultKey = "OPENAI_API_KEY"

/**
 * Who is asked there. The default key goes to OpenAI, to the address beside it in the environment, and nowhere else:
 * any other server needs the name of its own.
 */
export async function chatServer(
  host: Host,
  choice: ServerChoice,
): Promise<{ readonly open: () => ChatModel; readonly baseUrl: string }> {
  const module = await load<ModelModule>("models", "openai")
  return opened(host, module, choice)
}

/** The same for servers that are known only later. */
export async function chatServers(host: Host): Promise<(choice: ServerChoice) => ChatModel> {
  const module = await load<ModelModule>("models", "openai")
  return (choice) => opened(host, module, choice).open()
}

function opened(host: Host, module: ModelModule, { baseUrl, apiKeyEnv, keyHeader }: ServerChoice) {
  if (baseUrl !== undefined && apiKeyEnv === undefined && !isLoopback(baseUrl) && !isKeysOwn(host, baseUrl))
    throw new UsageError(
      `${new URL(baseUrl).host} is not the server that ${defaultKey} is for`,
      "Name the variable with its key: --api-key-env NAME, or backend.options.apiKeyEnv in the job.",
    )
  const isLocal = baseUrl !== undefined && isLoopback(baseUrl) && apiKeyEnv === undefined
  const environment = isLocal ? { ...host.environment, [defaultKey]: undefined } : host.environment
  const model = module.create(environment, { baseUrl, apiKeyEnv, keyHeader, fetch: host.fetch, readText: () => "" })
  return { open: () => model, baseUrl: model.baseUrl }
}

function isKeysOwn({ environment }: Host, baseUrl: string): boolean {
  const own = [environment["OPENAI_BASE_URL"], "https://api.openai.com/v1"]
  return own.some((url) => url !== undefined && URL.canParse(url) && new URL(url).host === new URL(baseUrl).host)
}
