import type { BackendContext, BackendModule, Check } from "../core/contracts/backend.ts"
import { canonicalJson } from "../core/canonical.ts"
import { ToolkitError } from "../core/errors.ts"
import { formatPath } from "../core/parse.ts"
import { optionIssues } from "./option-issues.ts"
import { describeSunset } from "./sunset.ts"

/** Options of a backend as a job gives them. */
export interface BackendUse {
  readonly job: string
  readonly options: Readonly<Record<string, unknown>>
  /** What to do where the options are wrong; the job's own check where absent. */
  readonly mend?: string
}

/**
 * What a backend says of itself with the options of each job that names it, each different answer once. One that no job
 * names is checked with its defaults; where it has none, what it needs is said.
 */
export async function backendChecks(
  name: string,
  module: BackendModule,
  uses: readonly BackendUse[],
  context: BackendContext,
): Promise<Check[]> {
  const distinct = [...new Map(uses.map((use) => [canonicalJson(use.options), use])).values()]
  if (distinct.length === 0) return checksWith(name, module, undefined, context)
  const seen = new Set<string>()
  const checks: Check[] = []
  for (const use of distinct) {
    const label = seen.size === 0 ? name : `${name}, job ${use.job}`
    const found = await checksWith(label, module, use, context)
    const content = JSON.stringify(found.map(({ status, detail }) => [status, detail]))
    if (seen.has(content)) continue
    seen.add(content)
    checks.push(...found)
  }
  return checks
}

async function checksWith(
  label: string,
  module: BackendModule,
  use: BackendUse | undefined,
  context: BackendContext,
): Promise<Check[]> {
  const options = use?.options ?? {}
  const issues = optionIssues(module.options, options)
  if (issues.length > 0) {
    const detail = issues.map(({ path, message }) => `${formatPath(path)}: ${message}`).join("; ")
    return use === undefined
      ? [{ name: label, status: "missing", detail: `no job uses it; its options: ${detail}` }]
      : [{ name: label, status: "failed", detail, hint: use.mend ?? `tuneloop job check ${use.job}` }]
  }
  try {
    const backend = module.create(context, module.options.parse(options))
    const checks = (await backend.check()).map((check): Check => ({ ...check, name: `${label}: ${check.name}` }))
    // Where it would train, without a job, is the default's guess.
    if (backend.sunset === undefined || use === undefined) return checks
    const { text, isOver } = describeSunset(backend.host ?? backend.name, backend.sunset, context.now())
    return [...checks, { name: `${label}: sunset`, status: isOver ? "failed" : "ok", detail: text }]
  } catch (error) {
    if (!(error instanceof ToolkitError)) throw error
    const status = use === undefined ? "missing" : "failed"
    return [{ name: label, status, detail: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) }]
  }
}
