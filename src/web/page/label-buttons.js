import { h } from "./dom.js"

/** @typedef {import("../review-wire.ts").TaskView} TaskView */

const manyLabels = 12

/** The keys of the first labels, in their order. */
const labelKeys = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"]

/**
 * A button a label, with its meaning and, for the first ten, its key; many labels have a field that narrows them down.
 * @param {TaskView} task
 * @param {{ marked: Readonly<Record<string, string>>, pressed: () => ReadonlySet<string>, press: (label: string) =>
 * void }} labels `marked` says what a label is by now
 */
export function labelButtons(task, { marked, pressed, press }) {
  const isMany = task.labels.length > manyLabels
  const filter = h("input", {
    type: "search",
    class: "filter",
    placeholder: "find a label ( / )",
    "aria-label": "find a label",
    autocomplete: "off",
  })
  const list = h("div", { class: "labels", role: "group", "aria-label": "labels" })
  const draw = () => {
    const wanted = filter.value.trim().toLowerCase()
    const shown = task.labels.filter(({ name, meaning }) => `${name} ${meaning}`.toLowerCase().includes(wanted))
    const chosen = pressed()
    list.replaceChildren(
      ...shown.map((label) =>
        labelButton(label, {
          key: labelKeys[task.labels.findIndex(({ name }) => name === label.name)],
          isPressed: chosen.has(label.name),
          mark: marked[label.name],
          press: () => press(label.name),
        }),
      ),
    )
  }
  filter.addEventListener("input", draw)
  filter.addEventListener("keydown", (event) => {
    const first = list.querySelector("button")
    if (event.key !== "Enter" || filter.value.trim() === "" || first === null) return
    event.preventDefault()
    first.click()
  })
  draw()
  return {
    element: h("div", {}, isMany ? filter : undefined, list),
    draw,
    focus: () => (isMany ? filter : list.querySelector("button"))?.focus(),
    /**
     * Whether the key is a label's; it is pressed then.
     * @param {string} key
     */
    key: (key) => {
      const label = labelKeys.includes(key) ? task.labels[labelKeys.indexOf(key)] : undefined
      if (label !== undefined) press(label.name)
      return label !== undefined
    },
  }
}

/**
 * @param {TaskView["labels"][number]} label
 * @param {{ key: string | undefined, isPressed: boolean, mark: string | undefined, press: () => void }} about
 */
function labelButton({ name, meaning }, { key, isPressed, mark, press }) {
  return h(
    "button",
    { type: "button", "aria-pressed": isPressed ? "true" : "false", "aria-keyshortcuts": key, onclick: press },
    key === undefined ? undefined : h("kbd", { "aria-hidden": "true" }, key),
    h(
      "span",
      {},
      h("span", { class: "name" }, name, mark === undefined ? undefined : h("span", { class: "mark" }, ` · ${mark}`)),
      h("span", { class: "meaning" }, meaning),
    ),
  )
}
