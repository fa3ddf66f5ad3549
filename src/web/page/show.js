import { h } from "./dom.js"

/** @typedef {import("../review-wire.ts").TaskView} TaskView */
/** @typedef {import("../review-wire.ts").Difference} Difference */

const longText = 600

/**
 * @param {unknown} value
 * @returns {HTMLElement}
 */
export function showText(value) {
  const text = value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value)
  if (text === "") return h("p", { class: "empty" }, "empty")
  return h("p", { class: text.length > longText ? "text long" : "text", dir: "auto" }, text)
}

/**
 * An input: its fields with their names where there are several, or a conversation turn by turn.
 * @param {TaskView} task
 * @param {Readonly<Record<string, unknown>>} input
 * @returns {HTMLElement}
 */
export function showInput(task, input) {
  if (task.kind === "chat") return showTurns(Array.isArray(input["messages"]) ? input["messages"] : [])
  const fields = task.fields.filter(({ name }) => input[name] !== undefined && input[name] !== null)
  const single = task.fields.length === 1
  return h(
    "div",
    {},
    fields.map(({ name, description }) =>
      h(
        "div",
        { class: "field" },
        single ? undefined : h("p", { class: "name", title: description }, name),
        showText(input[name]),
      ),
    ),
  )
}

/** @param {readonly any[]} turns */
function showTurns(turns) {
  return h(
    "ol",
    { class: "turns", "aria-label": "conversation" },
    turns.map((turn) => h("li", {}, showTurn(turn))),
  )
}

/** @param {any} turn */
export function showTurn(turn) {
  const role = typeof turn?.role === "string" ? turn.role : "assistant"
  const known = ["system", "user", "assistant", "tool"].includes(role) ? role : "user"
  const calls = Array.isArray(turn?.tool_calls) ? turn.tool_calls : []
  const hasText = (typeof turn?.content === "string" && turn.content !== "") || calls.length === 0
  const name = typeof turn?.name === "string" ? ` ${turn.name}` : ""
  return h(
    "div",
    { class: `turn ${known}` },
    h("p", { class: "role" }, role + name),
    hasText ? showText(turn?.content) : undefined,
    calls.map(showCall),
  )
}

/** @param {any} call */
function showCall(call) {
  const given = call?.function?.arguments
  const value = parsed(given)
  return h(
    "div",
    { class: "call" },
    h("p", { class: "quiet" }, "calls ", h("span", { class: "mono" }, String(call?.function?.name ?? ""))),
    typeof value === "object" && value !== null ? showTree(value) : showText(given),
  )
}

/** @param {unknown} text */
function parsed(text) {
  if (typeof text !== "string") return text
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * An output as its task's kind has it.
 * @param {TaskView} task
 * @param {unknown} output
 * @returns {HTMLElement}
 */
export function showOutput(task, output) {
  if (task.kind === "label") return showLabel(task, String(output))
  if (task.kind === "multilabel") {
    const labels = Array.isArray(output) ? output : []
    return labels.length === 0
      ? h("p", { class: "empty" }, "no label")
      : h(
          "div",
          { class: "chips" },
          labels.map((label) => h("span", { class: "chip" }, String(label))),
        )
  }
  if (task.kind === "json") return showTree(output)
  if (task.kind === "chat") return showTurn(output)
  return showText(output)
}

/**
 * @param {TaskView} task
 * @param {string} name
 */
function showLabel(task, name) {
  const meaning = task.labels.find((label) => label.name === name)?.meaning
  return h(
    "p",
    {},
    h("span", { class: "chip" }, name),
    meaning === undefined ? undefined : h("span", { class: "meaning" }, meaning),
  )
}

/**
 * A JSON value: names and values, lists as entries.
 * @param {unknown} value
 * @returns {HTMLElement}
 */
function showTree(value) {
  if (Array.isArray(value))
    return value.length === 0
      ? h("span", { class: "empty" }, "none")
      : h(
          "ol",
          {},
          value.map((entry) => h("li", {}, showTree(entry))),
        )
  if (typeof value === "object" && value !== null)
    return h(
      "dl",
      { class: "tree" },
      Object.entries(value).flatMap(([name, member]) => [
        h("dt", {}, name),
        h("dd", { dir: "auto" }, showTree(member)),
      ]),
    )
  if (value === null || value === undefined) return h("span", { class: "empty" }, "none")
  return h("span", {}, typeof value === "boolean" ? (value ? "yes" : "no") : String(value))
}

/**
 * The pieces of one side of a difference, what only it has marked; of both sides without `side`.
 * @param {readonly Difference[]} pieces
 * @param {"before" | "after"} [side]
 * @param {string} [style]
 * @returns {HTMLElement}
 */
export function showDifference(pieces, side, style = "text") {
  const shown = side === undefined ? pieces : pieces.filter((piece) => piece.side === "both" || piece.side === side)
  return h(
    "p",
    { class: `difference ${style}`, dir: "auto" },
    shown.map(({ text, side: of }) => (of === "both" ? text : h(of === "before" ? "del" : "ins", {}, text))),
  )
}
