import { addressRefusal } from "../../../core/addresses.ts"
import type { BackendContext } from "../../../core/contracts/backend.ts"
import { ProviderError } from "../../../core/errors.ts"
import type { HostedWire } from "../wire.ts"

const mostRedirects = 5
const patienceMs = 120_000
const filePatienceMs = 3_600_000

/**
 * A fetch for the hub's own client. Data goes to hosts that the workspace allows and, from the public hub, to its own
 * stores (`*` at the beginning of a name stands for any part); the token goes to the hub alone. What goes wrong is an
 * error of the wire.
 */
export function hubFetch(
  context: BackendContext,
  wire: HostedWire,
  storageHosts: readonly string[],
): typeof globalThis.fetch {
  const own = new URL(wire.service.baseUrl)
  const key = context.environment[wire.service.apiKeyEnv]
  const stores = own.host === "huggingface.co" ? storageHosts : []
  return async (input, init = {}) => {
    wire.requireAllowed()
    let url = new URL(input instanceof Request ? input.url : input)
    const headers = new Headers(init.headers)
    const waitMs = url.pathname.startsWith("/api/") ? patienceMs : filePatienceMs
    const limits = [context.signal, AbortSignal.timeout(waitMs), ...(init.signal ? [init.signal] : [])]
    for (let hops = 0; ; hops++) {
      requireStore(url, { own, stores, context, provider: wire.service.name })
      if (url.origin !== own.origin && key && headers.get("authorization")?.includes(key))
        headers.delete("authorization")
      let response: Response
      try {
        response = await context.fetch(url, { ...init, headers, redirect: "manual", signal: AbortSignal.any(limits) })
      } catch (error) {
        throw wire.unreachable(error)
      }
      const next = redirectOf(response, url, init.method)
      if (next === undefined || hops >= mostRedirects) {
        if (!response.ok) throw wire.refused(await wire.read(response))
        // Files go to the disk, as many bytes as the hub states; a log is read line by line, for as long as a job runs.
        const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true
        return url.pathname.startsWith("/api/") && !isStream ? wire.bounded(response) : response
      }
      await response.body?.cancel()
      url = next
    }
  }
}

/** Only what reads is redirected: the rows of a write stay where they were sent. */
function redirectOf({ status, headers }: Response, from: URL, method = "GET"): URL | undefined {
  const location = headers.get("location")
  const isRedirect = [301, 302, 303, 307, 308].includes(status) && ["GET", "HEAD"].includes(method.toUpperCase())
  return isRedirect && location !== null ? new URL(location, from) : undefined
}

function requireStore(
  url: URL,
  {
    own,
    stores,
    context: { allowedHosts },
    provider,
  }: {
    readonly own: URL
    readonly stores: readonly string[]
    readonly context: BackendContext
    readonly provider: string
  },
): void {
  if (url.origin === own.origin) return
  const host = url.hostname
  const isStore = stores.some((name) => (name.startsWith("*") ? host.endsWith(name.slice(1)) : host === name))
  const isAllowed = isStore ? url.protocol === "https:" : addressRefusal(url.href, allowedHosts) === undefined
  if (isAllowed) return
  throw new ProviderError(`${own.host} wants a file at ${url.protocol}//${url.host}, where none may be sent`, {
    provider,
    mayHaveCost: false,
    hint: `Add ${host} to allowedHosts in tuneloop.yaml if the data may go there.`,
  })
}
