/**
 * What a tab remembers over a reload and over a server that ends. It is the tab's own, and goes with it.
 * @typedef {object} Memory
 * @property {string} page the tab's mark
 * @property {string | undefined} item the item that is open
 * @property {Step[]} steps what undo goes back through, the last one last
 * @property {Draft | undefined} draft
 * @property {Record<string, unknown> | undefined} unsent an answer that the server has not confirmed
 *
 * @typedef {{ kind: "decided", item: string, at: string } | { kind: "skipped", item: string }} Step
 * @typedef {{ item: string, revision: string, output: unknown, comment: string, isEditing: boolean }} Draft
 */

const mostSteps = 200
const answerWithinMs = 60

/**
 * @param {string} task
 * @returns {Promise<Memory>}
 */
export async function recall(task) {
  const fresh = { page: newPage(), item: undefined, steps: [], draft: undefined, unsent: undefined }
  try {
    const kept = { ...fresh, ...JSON.parse(sessionStorage.getItem(keyOf(task)) ?? "{}") }
    return (await isTaken(kept.page)) ? fresh : kept
  } catch {
    return fresh
  }
}

/**
 * Whether another tab has this mark: one that was duplicated has the memory of the other. From now on this tab answers
 * for its own.
 * @param {string} page
 * @returns {Promise<boolean>}
 */
function isTaken(page) {
  const channel = new BroadcastChannel("tuneloop-review")
  return new Promise((resolve) => {
    let isOurs = false
    const timer = setTimeout(() => {
      isOurs = true
      resolve(false)
    }, answerWithinMs)
    channel.addEventListener("message", ({ data }) => {
      if (data.asks === page && isOurs) channel.postMessage({ has: page })
      if (data.has !== page || isOurs) return
      clearTimeout(timer)
      channel.close()
      resolve(true)
    })
    channel.postMessage({ asks: page })
  })
}

/**
 * @param {string} task
 * @param {Memory} memory
 */
export function remember(task, memory) {
  try {
    sessionStorage.setItem(keyOf(task), JSON.stringify({ ...memory, steps: memory.steps.slice(-mostSteps) }))
  } catch {
    // A browser that keeps nothing reviews all the same, but for a reload.
  }
}

/** The reviewer's name, as this browser knows it. */
export function recallName() {
  try {
    return localStorage.getItem("tuneloop-reviewer") ?? undefined
  } catch {
    return undefined
  }
}

/** @param {string} name */
export function rememberName(name) {
  try {
    localStorage.setItem("tuneloop-reviewer", name)
  } catch {
    // The name is asked again the next time.
  }
}

/** @param {string} task */
function keyOf(task) {
  return `tuneloop-review-${task}`
}

function newPage() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("")
}
