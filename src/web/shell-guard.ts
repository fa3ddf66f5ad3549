import { createHash, timingSafeEqual } from "node:crypto"
import { isIP } from "node:net"

/** Who a local page answers to: whoever has the token, on this machine as well, for it may have other users. */
export interface Door {
  /** The address or name that the server was told to listen on. */
  readonly host: string
  readonly token: string
}

/** What of a request the guard looks at. */
export interface Knock {
  readonly method: string
  readonly path: string
  readonly host: string | undefined
  readonly origin: string | undefined
  /** The header Sec-Fetch-Site, which browsers set and pages cannot. */
  readonly site: string | undefined
  readonly contentType: string | undefined
  /** The token that the address or the cookie carries. */
  readonly token: string | undefined
}

export interface Refusal {
  readonly status: 401 | 403 | 415 | 421
  readonly message: string
}

/**
 * Why the request is refused; undefined when it is let in. A name that is not ours may be anybody's by now (DNS
 * rebinding), a foreign page may send requests but may not name our origin (CSRF), and without the token nothing is
 * told at all. Every refusal is a sentence for people.
 */
export function refuse(door: Door, knock: Knock): Refusal | undefined {
  if (!isOurName(door, nameOf(knock.host)))
    return {
      status: 421,
      message:
        `this page does not answer to the name ${JSON.stringify(knock.host ?? "")}; open the address that ` +
        "the command printed",
    }
  if (knock.origin !== undefined && knock.origin !== `http://${knock.host}`)
    return { status: 403, message: "this request comes from another page; open the address that the command printed" }
  const isCall = knock.path.startsWith("/api/")
  if (isCall && knock.site !== undefined && knock.site !== "same-origin")
    return { status: 403, message: "this request comes from another page; open the address that the command printed" }
  // A form of a foreign page can send text and form types only.
  if (knock.method === "POST" && !/^application\/json\b/.test(knock.contentType ?? ""))
    return { status: 415, message: "a request must be JSON (content-type: application/json)" }
  if (!isEqual(knock.token ?? "", door.token))
    return {
      status: 401,
      message:
        "the token is missing or wrong; open the whole address that the command printed, with its token, or let it " +
        "open the page: --open",
    }
  return undefined
}

/** Whether the address is this machine only. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."))
}

/**
 * A loopback server has loopback names only. Elsewhere an address in digits cannot be rebound; a name is ours when the
 * server was started with it.
 */
function isOurName(door: Door, name: string): boolean {
  if (isLoopback(name)) return true
  return !isLoopback(door.host) && (isIP(name) !== 0 || name === door.host.toLowerCase())
}

/** The name in a Host header, without its port and without the brackets of IPv6. */
function nameOf(host: string | undefined): string {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:/@\s]+))(?::\d{1,5})?$/i.exec(host ?? "")
  return (match?.[1] ?? match?.[2] ?? "").toLowerCase()
}

/** In a time that does not depend on where the two differ. */
function isEqual(a: string, b: string): boolean {
  const digestOf = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(digestOf(a), digestOf(b))
}
