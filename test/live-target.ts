import { hostOf } from "../src/core/asking/model-match.ts"
import type { BackendModule } from "../src/core/contracts/backend.ts"
import { issuesOf, formatPath } from "../src/core/parse.ts"
import { backendProblem, load, names } from "../src/cli/plugins.ts"
import { packageRoot } from "../src/cli/version.ts"

/** The hosts of a service that a live check may send to, and its options; or why there can be none, and what to do. */
export type LiveTarget =
  | { readonly hosts: readonly string[]; readonly options: Readonly<Record<string, unknown>> }
  | { readonly problem: string }

/** Who would be asked, with the key that is there. Sends nothing. */
export async function liveTarget(
  name: string,
  optionsText: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<LiveTarget> {
  const unknown = backendProblem(name, names("backends"))
  if (unknown !== undefined) return { problem: unknown }
  const module = await load<BackendModule>("backends", name)
  if (module.kind !== "hosted")
    return { problem: `${name} is no service, and costs nothing to try: npm run quickstart` }
  const given = optionsIn(optionsText)
  if (given === undefined) return { problem: `--options is no JSON object: ${optionsText}` }
  const parsed = module.options.safeParse(given)
  if (!parsed.success) {
    const [issue] = issuesOf(module.options, parsed.error, given)
    return { problem: `--options of ${name}: ${formatPath(issue?.path ?? [])}: ${issue?.message}` }
  }
  try {
    const backend = module.create(context(environment), parsed.data)
    const missing = (await backend.check()).find(({ status }) => status === "missing")
    if (missing !== undefined) return { problem: [missing.detail, missing.hint].filter(Boolean).join("\n  ") }
    const addresses = Object.values(parsed.data as Readonly<Record<string, unknown>>).filter(isAddress)
    const hosts = new Set([...(backend.host === undefined ? [] : [backend.host]), ...addresses.map(hostOf)])
    return { hosts: [...hosts], options: given }
  } catch (error) {
    const { message, hint } = error as Error & { readonly hint?: string }
    return { problem: [message, hint].filter(Boolean).join("\n  ") }
  }
}

function optionsIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

function isAddress(value: unknown): value is string {
  return typeof value === "string" && /^https?:/.test(value) && URL.canParse(value)
}

/** What is made here asks nobody. */
function context(environment: Readonly<Record<string, string | undefined>>) {
  return {
    environment,
    packageRoot,
    allowedHosts: [],
    fetch: () => Promise.reject(new Error("nobody is asked yet")),
    now: () => new Date(),
    sleep: () => Promise.resolve(),
    signal: new AbortController().signal,
    progress: () => undefined,
  }
}
