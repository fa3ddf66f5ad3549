/** @typedef {{ path: string, message: string }} Issue */

/** The server does not answer: it ended, or the network did. */
export class Lost extends Error {}

/** The server answers, and says no: a sentence for people, and details. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {{ message?: string, hint?: string, isChanged?: boolean, issues?: readonly Issue[] }} body
   */
  constructor(status, body) {
    super([body.message ?? `the server answered ${status}`, body.hint].filter(Boolean).join(" "))
    this.status = status
    this.isChanged = body.isChanged === true
    this.issues = body.issues ?? []
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
  fetch("/api/leave", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ page }),
    keepalive: true,
  }).catch(() => undefined)
}

const againMs = 2000

/**
 * What the call answers. While the server is not there, cannot write or wants its token, it is asked again, and `tell`
 * hears of it; any other refusal is thrown. What is asked must be such that twice is once.
 * @template Answer
 * @param {() => Promise<Answer>} ask
 * @param {(message: string | undefined) => void} tell
 * @returns {Promise<Answer>}
 */
export async function insist(ask, tell) {
  for (;;) {
    try {
      const given = await ask()
      tell(undefined)
      return given
    } catch (error) {
      if (error instanceof Refused && error.status < 500 && error.status !== 401) throw error
      tell(
        `${error instanceof Lost ? "The server does not answer." : messageOf(error)} What you wrote is kept on this page; it goes on by itself when the server does.`,
      )
      await new Promise((resolve) => setTimeout(resolve, againMs))
    }
  }
}

/** @param {unknown} error */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error)
}
