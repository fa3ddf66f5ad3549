import { button, h } from "./dom.js"
import { editorOf } from "./editors.js"
import { FieldError } from "./json-form.js"
import { call, Lost } from "./server.js"
import { showDifference } from "./show.js"

/** @typedef {import("../review-wire.ts").TaskView} TaskView */
/** @typedef {import("../review-wire.ts").ItemView} ItemView */
/** @typedef {import("../review-wire.ts").OutputCheck} OutputCheck */

const checkAfterMs = 250

/**
 * The editor of an output, with what is wrong with it and how it differs from the proposal, as the server says while
 * one writes.
 * @param {TaskView} task
 * @param {ItemView} item
 * @param {{ begin: unknown, isBegun: boolean, changed: () => void }} edit where to begin, and whether that is a
 * person's already
 */
export function editPanel(task, item, { begin, isBegun, changed }) {
  const difference = h("div", { "aria-live": "polite" })
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  const later = () => {
    clearTimeout(timer)
    timer = setTimeout(check, checkAfterMs)
  }
  const editor = editorOf(task, begin, () => {
    changed()
    later()
  })
  const element = h(
    "div",
    { class: "editor" },
    h("h2", {}, item.proposed === undefined || item.proposed === null ? "The right output" : "Your edit"),
    editor.element,
    difference,
  )
  async function check() {
    try {
      const output = editor.read()
      const checked = /** @type {OutputCheck} */ (await call("check", { item: item.id, output }))
      editor.show(checked.issues)
      const pieces = checked.difference ?? []
      const isChanged = pieces.some(({ side }) => side !== "both")
      difference.replaceChildren(
        ...(isChanged
          ? [h("h2", {}, "What you changed"), showDifference(pieces, undefined, task.kind === "json" ? "mono" : "text")]
          : []),
      )
    } catch (error) {
      if (!(error instanceof Lost))
        editor.show([
          {
            path: error instanceof FieldError ? `output${error.path}` : "output",
            message: error instanceof Error ? error.message : String(error),
          },
        ])
    }
  }
  if (isBegun) later()
  return { ...editor, element }
}

/**
 * Why an example is turned down: a reason by its number, or other words and Enter.
 * @param {TaskView} task
 * @param {(reason: string) => void} reject
 */
export function reasonPanel(task, reject) {
  const field = h("input", {
    autocomplete: "off",
    placeholder: "or in your own words, then Enter",
    "aria-label": "the reason in your own words",
  })
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return
    const reason = field.value === "" ? task.reasons[Number(event.key) - 1] : undefined
    const words = event.key === "Enter" ? field.value.trim() : ""
    if (reason === undefined && words === "") return
    event.preventDefault()
    reject(reason ?? words)
  })
  const element = h(
    "div",
    { class: "editor", role: "group", "aria-label": "Why is it rejected?" },
    h("h2", {}, "Why is it rejected?"),
    h(
      "div",
      { class: "reasons" },
      task.reasons.map((reason, index) => button(reason, String(index + 1), () => reject(reason))),
    ),
    field,
  )
  return { element, focus: () => field.focus() }
}

/**
 * There is no item.
 * @param {TaskView} task
 * @param {number} elsewhere how many other pages have open
 * @param {() => void} look
 */
export function endPanel(task, elsewhere, look) {
  return h(
    "div",
    { class: "done" },
    h("p", {}, elsewhere > 0 ? "The last items are open on other pages." : "Nothing waits for you."),
    elsewhere > 0
      ? h("p", { class: "soft" }, `There are ${elsewhere} of them. They come here when the other page is closed.`)
      : h(
          "p",
          { class: "soft" },
          "All that you decided is saved. Next, the dataset is built: ",
          h("code", { class: "mono" }, `tuneloop build ${task.task}`),
        ),
    h("p", {}, button("Look again", "L", look)),
  )
}
