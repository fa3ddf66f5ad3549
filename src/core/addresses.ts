import { z } from "zod"

/** The address of a server as people write it into a file: without a secret, which would be kept and shown. */
export const addressSchema = z
  .url({ protocol: /^https?$/, error: "must be an address that begins with http:// or https://" })
  .refine((text) => secretPart(text) === undefined, {
    error: ({ input }) =>
      `has ${secretPart(String(input)) ?? "a secret"}; an address ends with its path, and a key comes from the ` +
      "environment only",
  })

/** What of an address may be a secret, in a word or two; undefined where nothing may. */
export function secretPart(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined
  const { username, password, search, hash } = new URL(address)
  if (username !== "" || password !== "") return "a user or a password"
  return search !== "" || hash !== "" ? "a query" : undefined
}

/** An entry of `allowedHosts`: a host or an address's beginning, with or without a port. */
export const allowedHostSchema = z
  .string()
  .min(1)
  .refine((text) => allowedHost(text) !== undefined, {
    error: ({ input }) =>
      `got ${JSON.stringify(input)}; must be a host (api.example.com), a host with its port (10.1.2.3:8443, ` +
      "[fd00::1]:8443), or http:// or https:// and one of these",
  })

/** Why examples may not go to an address, and what to do. */
export interface AddressRefusal {
  readonly message: string
  readonly hint: string
}

/**
 * Whether examples may go to the address: to a host that is allowed, encrypted or on this machine. Undefined where they
 * may. Without encryption they go to another machine only where its entry begins with http://.
 */
export function addressRefusal(address: string, allowedHosts: readonly string[]): AddressRefusal | undefined {
  const url = new URL(address)
  const host = plainHost(url.hostname)
  const port = url.port || (url.protocol === "https:" ? "443" : "80")
  const ofHost = allowedHosts.flatMap((entry) => allowedHost(entry) ?? []).filter((entry) => entry.host === host)
  const allowed = ofHost.filter((entry) => entry.port === undefined || entry.port === port)
  if (allowed.length === 0)
    return {
      message:
        `examples may not be sent to ${ofHost.length === 0 ? host : `port ${port} of ${host}`}; allowed: ` +
        (allowedHosts.join(", ") || "none"),
      hint: "Add the host to allowedHosts in tuneloop.yaml if the data may go there.",
    }
  const isSafe = url.protocol === "https:" || isThisMachine(host) || allowed.some(({ isPlain }) => isPlain)
  if (isSafe) return undefined
  return {
    message: `${url.origin} is not encrypted: the key and the examples would be readable on the way`,
    hint:
      `Name an https address. Where the network between is your own, add ${url.origin} to allowedHosts in ` +
      "tuneloop.yaml.",
  }
}

interface AllowedHost {
  readonly host: string
  readonly port: string | undefined
  /** Whether what goes there need not be encrypted. */
  readonly isPlain: boolean
}

function allowedHost(entry: string): AllowedHost | undefined {
  const [, scheme = "", rest = ""] = /^(https?:\/\/)?(.*?)\/?$/i.exec(entry.trim()) ?? []
  const isBareIpv6 = /^[\da-f]*:[\da-f:.]*:[\da-f:.]*$/i.test(rest)
  const [, name = "", port] = isBareIpv6 ? ["", `[${rest}]`] : (/^(.*?)(?::(\d{1,5}))?$/.exec(rest) ?? [])
  if (name === "" || /[\s/?#@*\\]/.test(name) || !URL.canParse(`http://${name}`)) return undefined
  if (Number(port ?? 0) > 65_535) return undefined
  return {
    host: plainHost(new URL(`http://${name}`).hostname),
    port: port === undefined ? undefined : String(Number(port)),
    isPlain: scheme.toLowerCase() === "http://",
  }
}

/** Without the brackets of IPv6 and the dot that ends a whole name. */
function plainHost(hostname: string): string {
  return hostname.replace(/^\[|\]$|\.$/g, "")
}

function isThisMachine(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host)
}
