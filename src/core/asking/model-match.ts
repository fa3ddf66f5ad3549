import { fitsWildcard } from "../wildcard.ts"

/** Whom a fact is about: a model by its name at the server and, where it says one, the host. */
export interface ModelPattern {
  readonly match: string
  readonly host?: string | undefined
}

/**
 * Whether the fact is about the model: its name, a dated snapshot of it, or what a `*` stands for; whatever the case.
 * A host may have a `*` as well. Without a known host, only facts about any host fit.
 */
export function isMeant({ match, host }: ModelPattern, model: string, at: string | undefined): boolean {
  if (host !== undefined && (at === undefined || !fitsWildcard(host, at))) return false
  return fitsWildcard(match, model) || fitsWildcard(match, model.replace(/-\d{4}-\d{2}-\d{2}$/, ""))
}

/** The host of an address, without the brackets of IPv6. */
export function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "")
}
