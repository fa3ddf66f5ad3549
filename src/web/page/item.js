import { h } from "./dom.js"
import { showDifference, showInput, showOutput } from "./show.js"

/** @typedef {import("../review-wire.ts").TaskView} TaskView */
/** @typedef {import("../review-wire.ts").ItemView} ItemView */

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
    h("p", { class: "overline", id: "question" }, item.question),
    item.pair === undefined ? showInput(task, item.input) : showPair(task, item, item.pair),
    item.answers === undefined
      ? item.pair === undefined
        ? showOutputs(task, item)
        : []
      : showAnswers(task, item, item.answers),
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
    const arrow = h(
      "span",
      { class: "arrow" },
      h("span", { "aria-hidden": "true" }, "→"),
      h("span", { class: "unseen" }, "becomes"),
    )
    const both = isLabels
      ? h("div", { class: "output change" }, showOutput(task, item.current), arrow, showOutput(task, item.proposed))
      : h("div", { class: "output" }, showDifference(item.outputDifference ?? []))
    return [h("h2", {}, "The output that it has, and the one that is proposed"), both]
  }
  if (!hasProposed) return []
  const output =
    task.kind === "chat"
      ? showOutput(task, item.proposed)
      : h("div", { class: "output" }, showOutput(task, item.proposed))
  return [h("h2", {}, "Proposed output"), output]
}

/**
 * What reviewers said, without their names.
 * @param {TaskView} task
 * @param {ItemView} item
 * @param {NonNullable<ItemView["answers"]>} answers
 * @returns {HTMLElement[]}
 */
function showAnswers(task, item, answers) {
  const letters = ["A", "B"]
  const shown = answers.map(({ isReject, output, comment }) => {
    const letter = isReject ? undefined : letters.shift()
    return h(
      "li",
      { class: "output" },
      letter === undefined ? undefined : h("p", { class: "overline" }, letter),
      isReject ? h("p", { class: "chip" }, item.rejected) : showOutput(task, output),
      comment === undefined ? undefined : h("p", { class: "quiet" }, comment),
    )
  })
  const difference = item.pair === undefined && item.outputDifference !== undefined && item.current !== undefined
  return [
    h("h2", {}, "The answers"),
    h("ul", { class: "said" }, shown),
    ...(difference
      ? [
          h("h2", {}, "From B to A"),
          h("div", {}, showDifference(item.outputDifference ?? [], undefined, task.kind === "json" ? "mono" : "text")),
        ]
      : []),
  ]
}

/**
 * @param {TaskView} task
 * @param {ItemView} item
 * @param {NonNullable<ItemView["pair"]>} pair
 */
function showPair(task, item, pair) {
  const isLabels = task.kind === "label" || task.kind === "multilabel"
  // The answers of a dispute are A and B then.
  const names = item.answers === undefined ? ["A", "B"] : ["first", "second"]
  const sides = /** @type {const} */ (["before", "after"]).map((side, index) =>
    h(
      "div",
      { role: "group", "aria-label": names[index] },
      h("p", { class: "overline" }, names[index]),
      item.inputDifference && task.kind !== "chat"
        ? showDifference(item.inputDifference, side)
        : showInput(task, index === 0 ? item.input : pair.other),
      h("h2", {}, `Output of ${names[index]}`),
      isLabels || item.outputDifference === undefined
        ? showOutput(task, pair.outputs[index])
        : showDifference(item.outputDifference, side, task.kind === "json" ? "mono" : "text"),
    ),
  )
  return h("div", { class: "pair" }, sides)
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
      h(
        "p",
        { class: "guideline", dir: "auto" },
        task.guideline.trim() === "" ? task.description : task.guideline.trim(),
      ),
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
                h(
                  "li",
                  {},
                  h("p", { class: "input", dir: "auto" }, plain(task, input)),
                  h("p", { class: "gold", dir: "auto" }, short(task, output)),
                ),
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
    return task.fields
      .flatMap(({ name }) => (input[name] === undefined || input[name] === null ? [] : [String(input[name])]))
      .join("\n")
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
  return [
    output.content,
    ...calls.map((/** @type {any} */ { function: called }) => `calls ${called?.name} ${called?.arguments}`),
  ]
    .filter(Boolean)
    .join("\n")
}

/**
 * A JSON value in few characters, a line a member.
 * @param {unknown} value
 * @returns {string}
 */
function brief(value) {
  if (Array.isArray(value))
    return value.length === 0 ? "none" : value.map((entry) => brief(entry).replaceAll("\n", ", ")).join("; ")
  if (typeof value === "object" && value !== null)
    return Object.entries(value)
      .map(([name, member]) => `${name}: ${brief(member)}`)
      .join("\n")
  return value === null || value === undefined
    ? "none"
    : value === true
      ? "yes"
      : value === false
        ? "no"
        : String(value)
}
