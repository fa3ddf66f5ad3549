import { button, byId, h } from "./dom.js"

/**
 * The keys of the page, and what they do.
 * @type {readonly [string, string][]}
 */
const keys = [
  ["A", "accept what is proposed; of two rows: A is right for both"],
  ["1 – 9", "this label"],
  ["N", "no label fits, where several may"],
  ["E", "edit the output"],
  ["R", "reject, with a reason"],
  ["B", "of two rows: B is right for both"],
  ["K", "keep what is there; of two rows: each is right as it is"],
  ["C", "write a comment"],
  ["S", "skip: it comes again later"],
  ["U", "undo the last answer or skip"],
  ["/", "find a label"],
  ["Ctrl Enter", "save what you edited"],
  ["Esc", "leave what you are writing; it is kept"],
  ["?", "these keys"],
]

/** The keys, in a dialog that Esc closes. */
export function showHelp() {
  const dialog = /** @type {HTMLDialogElement} */ (byId("help"))
  dialog.replaceChildren(
    h("h2", { id: "help-title" }, "Keys"),
    h(
      "dl",
      { class: "keys" },
      keys.flatMap(([key, meaning]) => [
        h(
          "dt",
          {},
          key.split(" ").map((part) => (part === "–" ? " – " : h("kbd", {}, part))),
        ),
        h("dd", {}, meaning),
      ]),
    ),
    h(
      "p",
      { class: "quiet" },
      "Every answer is saved at once. Nothing is ever overwritten: an undo is written down as well.",
    ),
    h(
      "div",
      { class: "buttons" },
      button("Close", "Esc", () => dialog.close()),
    ),
  )
  dialog.showModal()
}

/**
 * Whether the name that somebody gave means a reviewer whose name differs in little but case: one person under two
 * names counts as two. Returns the name to go by. @param {string} given @param {string} known @returns
 * {Promise<string>}
 */
export function askWhether(given, known) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("name"))
  return new Promise((resolve) => {
    /** @param {string} name */
    const take = (name) => {
      dialog.close()
      resolve(name)
    }
    // Closed without a word, it is the name that was given.
    dialog.oncancel = () => resolve(given)
    const same = button(`I am ${known}`, undefined, () => take(known), { class: "main" })
    dialog.replaceChildren(
      h("h2", { id: "name-title" }, `Are you ${known}?`),
      h("p", {}, `${known} reviewed here before. One person under two names would count as two.`),
      h(
        "div",
        { class: "buttons" },
        same,
        button(`No, I am ${given}, somebody else`, undefined, () => take(given)),
      ),
    )
    dialog.showModal()
    same.focus()
  })
}

/**
 * Who reviews, as the person says; not left without a name when there is none yet.
 * @param {string | undefined} known
 * @returns {Promise<string>}
 */
export function askName(known) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("name"))
  const input = h("input", { id: "name-field", name: "reviewer", autocomplete: "name", required: true, maxlength: 100 })
  input.value = known ?? ""
  return new Promise((resolve) => {
    const form = h(
      "form",
      {
        class: "name-form",
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault()
          const name = input.value.trim()
          if (name === "") return
          dialog.close()
          resolve(name)
        },
      },
      h("h2", { id: "name-title" }, "Who reviews?"),
      h(
        "label",
        { for: "name-field", class: "quiet" },
        "Your name stands beside each of your decisions. Use the same one every time.",
      ),
      input,
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "submit", class: "main" }, "Begin ", h("kbd", { "aria-hidden": "true" }, "Enter")),
      ),
    )
    dialog.oncancel = (event) => {
      event.preventDefault()
      if (known === undefined) return
      dialog.close()
      resolve(known)
    }
    dialog.replaceChildren(form)
    dialog.showModal()
    input.select()
  })
}
