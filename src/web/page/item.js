import { h } from "./dom.js"
import { showDifference, showInput, showOutput } from "./show.js"

/** @typedef {import("../review-wire.ts").TaskView} TaskView */
/** @typedef {import("../review-wire.ts").ItemView} ItemView */
/** @typedef {import("../review-wire.ts").Said} Said */

/** @type {Readonly<Record<string, string>>} */
const questions = {
  candidate: "Is this a good example?",
  input: "What is the right output?",
  "label-error": "Is this label right?",
  conflict: "Two examples that contradict each other: which output is right?",
}

/**
 * What is asked: the question, the input and the outputs that there are, with their differences.
 * @param {TaskView} task
 * @param {ItemView} item
 * @returns {HTMLElement}
 */
export function showItem(task, item) {
  return h(
    "div",
    {},
    h("p", { class: "overline", id: "question" }, item.said.length > 0 ? "Reviewers disagree: what is right?" : (questions[item.kind] ?? item.kind)),
    item.other === undefined ? [showInput(task, item.input), ...showOutputs(task, item)] : [showPair(task, item, item.other)],
    item.said.length > 0 ? [h("h2", {}, "What was said"), showSaid(task, item.said)] : [],
    item.note === undefined ? undefined : h("p", { class: "quiet note" }, item.note),
  )
}

/**
 * @param {TaskView} task
 * @param {ItemView} item
 * @returns {HTMLElement[]}
 */
function showOutputs(task, item) {
  const isLabels = task.kind === "label" || task.kind === "multilabel"
  const hasProposed = item.proposed !== undefined && item.proposed !== null
  const hasCurrent = item.current !== undefined && item.current !== null
  if (hasProposed && hasCurrent) {
    const both = isLabels
      ? h(
          "div",
          { class: "output change" },
          showOutput(task, item.current),
          h("span", { class: "arrow", "aria-label": "to" }, "→"),
          showOutput(task, item.proposed),
        )
      : h("div", { class: "output" }, showDifference(item.outputDifference ?? []))
    return [h("h2", {}, "The output that it has, and the one that is proposed"), both]
  }
  if (!hasProposed) return []
  const output = task.kind === "chat" ? showOutput(task, item.proposed) : h("div", { class: "output" }, showOutput(task, item.proposed))
  return [h("h2", {}, "Proposed output"), output]
}

/**
 * @param {TaskView} task
 * @param {ItemView} item
 * @param {Readonly<Record<string, unknown>>} other
 */
function showPair(task, item, other) {
  const isLabels = task.kind === "label" || task.kind === "multilabel"
  /** @param {"before" | "after"} side */
  const input = (side) =>
    item.inputDifference && task.kind !== "chat"
      ? showDifference(item.inputDifference, side)
      : showInput(task, side === "before" ? item.input : other)
  /** @param {"before" | "after"} side */
  const output = (side) =>
    isLabels || item.outputDifference === undefined
      ? showOutput(task, side === "before" ? item.proposed : item.current)
      : showDifference(item.outputDifference, side, task.kind === "json" ? "mono" : "text")
  return h(
    "div",
    { class: "pair" },
    h("div", { role: "group", "aria-label": "A" }, h("p", { class: "overline" }, "A"), input("before"), h("h2", {}, "Output of A"), output("before")),
    h("div", { role: "group", "aria-label": "B" }, h("p", { class: "overline" }, "B"), input("after"), h("h2", {}, "Output of B"), output("after")),
  )
}

/**
 * @param {TaskView} task
 * @param {readonly Said[]} said
 */
function showSaid(task, said) {
  return h(
    "ul",
    { class: "said" },
    said.map(({ reviewer, verdict, output, comment }) =>
      h(
        "li",
        { class: "output" },
        h(
          "p",
          { class: "quiet" },
          `${reviewer} ${verdict === "accept" ? "accepts it" : verdict === "reject" ? "rejects it" : "edits it"}${comment === undefined ? "" : `: ${comment}`}`,
        ),
        verdict === "edit" ? showOutput(task, output) : undefined,
      ),
    ),
  )
}

/**
 * What helps to decide: the guideline, and the train seeds most like the item.
 * @param {TaskView} task
 * @param {ItemView | undefined} item
 * @param {import("../review-wire.ts").Progress["agreement"]} agreement
 * @returns {HTMLElement[]}
 */
export function showBeside(task, item, agreement) {
  const nearest = item?.nearest ?? []
  return [
    h(
      "section",
      {},
      h("h2", {}, "Guideline"),
      h("p", { class: "guideline", dir: "auto" }, task.guideline.trim() === "" ? task.description : task.guideline.trim()),
    ),
    ...(nearest.length === 0
      ? []
      : [
          h(
            "section",
            {},
            h("h2", {}, "Gold examples most like it"),
            h(
              "ol",
              { class: "nearest" },
              nearest.map(({ input, output }) =>
                h("li", {}, h("p", { class: "input", dir: "auto" }, plain(task, input)), h("p", { class: "gold", dir: "auto" }, short(task, output))),
              ),
            ),
          ),
        ]),
    ...(agreement.items === 0
      ? []
      : [
          h(
            "section",
            {},
            h("h2", {}, "Agreement"),
            h(
              "p",
              { class: "quiet" },
              `${agreement.unanimous} of ${agreement.items} items that several reviewers decided on, they decided alike`,
              agreement.alpha === undefined ? "" : ` (Krippendorff's alpha ${agreement.alpha.toFixed(2)})`,
            ),
          ),
        ]),
  ]
}

/**
 * @param {TaskView} task
 * @param {Readonly<Record<string, any>>} input
 */
function plain(task, input) {
  if (task.kind !== "chat")
    return task.fields.flatMap(({ name }) => (input[name] === undefined || input[name] === null ? [] : [String(input[name])])).join("\n")
  const turns = Array.isArray(input["messages"]) ? input["messages"] : []
  return turns
    .filter((turn) => turn?.role !== "system")
    .map((turn) => `${turn?.role}: ${typeof turn?.content === "string" ? turn.content : ""}`)
    .join("\n")
}

/**
 * @param {TaskView} task
 * @param {any} output
 */
function short(task, output) {
  if (task.kind === "multilabel" && Array.isArray(output)) return output.join(", ") || "no label"
  if (task.kind !== "chat" || typeof output !== "object" || output === null) return brief(output)
  const calls = Array.isArray(output.tool_calls) ? output.tool_calls : []
  return [output.content, ...calls.map((/** @type {any} */ { function: called }) => `calls ${called?.name} ${called?.arguments}`)].filter(Boolean).join("\n")
}

/**
 * A JSON value in few characters, a line a member.
 * @param {unknown} value
 * @returns {string}
 */
function brief(value) {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map((entry) => brief(entry).replaceAll("\n", ", ")).join("; ")
  if (typeof value === "object" && value !== null)
    return Object.entries(value)
      .map(([name, member]) => `${name}: ${brief(member)}`)
      .join("\n")
  return value === null || value === undefined ? "none" : value === true ? "yes" : value === false ? "no" : String(value)
}
