/** The server does not answer: it ended, or the network did. */
export class Lost extends Error {}

/** The server answers, and says no: a sentence for people, and details. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {{ message?: string, hint?: string, isChanged?: boolean }} body
   */
  constructor(status, body) {
    super([body.message ?? `the server answered ${status}`, body.hint].filter(Boolean).join(" "))
    this.status = status
    this.isChanged = body.isChanged === true
  }
}

const patienceMs = 40_000

/**
 * What the server answers to a call.
 * @param {string} name
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
export async function call(name, body = {}) {
  let response
  let answer
  try {
    response = await fetch(`/api/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(patienceMs),
    })
    answer = await response.json()
  } catch {
    throw new Lost("the server does not answer")
  }
  if (!response.ok) throw new Refused(response.status, answer)
  return answer
}

/**
 * Tells the server that this page is being left; nobody waits for an answer.
 * @param {string} page
 */
export function leave(page) {
  fetch("/api/leave", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ page }), keepalive: true }).catch(
    () => undefined,
  )
}
