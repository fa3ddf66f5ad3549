import { button, freshId, h } from "./dom.js"
import { jsonForm } from "./json-form.js"

/** @typedef {import("../review-wire.ts").TaskView} TaskView */

/**
 * What an output is written with. `read` gives the output, or throws a sentence that says why there is none.
 * @typedef {object} Editor
 * @property {HTMLElement} element
 * @property {() => unknown} read
 * @property {() => void} focus
 * @property {(issues: readonly { path: string, message: string }[]) => void} show what is wrong, each where it is
 */

/**
 * The editor of a task whose outputs are written; tasks of labels have their buttons instead.
 * @param {TaskView} task
 * @param {unknown} output where to begin; undefined for nothing
 * @param {() => void} changed
 * @returns {Editor}
 */
export function editorOf(task, output, changed) {
  if (task.kind === "json") return jsonEditor(task.schema ?? {}, output, changed)
  if (task.kind === "chat") return turnEditor(task, output, changed)
  const input = area("", typeof output === "string" ? output : "", changed)
  return { element: input.element, read: () => input.field.value, focus: () => input.field.focus(), show: input.show }
}

/**
 * @param {string} label empty where the heading above says it
 * @param {string} value
 * @param {() => void} changed
 */
function area(label, value, changed) {
  const [id, said] = [freshId(), freshId()]
  const field = h("textarea", { id, class: "answer", dir: "auto", "aria-describedby": said, oninput: changed })
  field.value = value
  field.rows = Math.min(16, Math.max(4, value.split("\n").length + Math.ceil(value.length / 70)))
  const problem = h("p", { class: "problem", id: said })
  /** @param {readonly { path: string, message: string }[]} issues */
  const show = (issues) => {
    problem.replaceChildren(issues.map(({ message }) => message).join("; "))
    field.toggleAttribute("aria-invalid", issues.length > 0)
    if (issues.length > 0) field.setAttribute("aria-invalid", "true")
  }
  return {
    element: h(
      "div",
      {},
      h("label", { for: id, class: label === "" ? "unseen" : "label" }, label || "output"),
      field,
      problem,
    ),
    field,
    show,
  }
}

/**
 * @param {Readonly<Record<string, unknown>>} schema
 * @param {unknown} output
 * @param {() => void} changed
 * @param {string} [at] the path of the value within the output
 * @returns {Editor}
 */
function jsonEditor(schema, output, changed, at = "output") {
  const form = jsonForm(schema, output, changed)
  const rest = h("p", { class: "problem" })
  return {
    element: h("div", {}, form.element, rest),
    read: () => form.read() ?? null,
    focus: () => focusFirst(form.element),
    show: (issues) => {
      form.clear()
      const unplaced = issues.filter(
        ({ path, message }) => !path.startsWith(at) || !form.problem(path.slice(at.length), message),
      )
      rest.replaceChildren(unplaced.map(({ path, message }) => `${path}: ${message}`).join("; "))
    },
  }
}

/**
 * The turn of a conversation: what is said, and the tools that are called.
 * @param {TaskView} task
 * @param {unknown} output
 * @param {() => void} changed
 * @returns {Editor}
 */
function turnEditor(task, output, changed) {
  const given = /** @type {Record<string, any>} */ (typeof output === "object" && output !== null ? output : {})
  const { content, tool_calls: calls, ...others } = given
  const text = area("What is said", typeof content === "string" ? content : "", changed)
  /** @type {ReturnType<typeof callEditor>[]} */
  let editors = []
  const list = h("div", { class: "list" })
  const draw = () => {
    list.replaceChildren(
      ...editors.map((editor) =>
        h(
          "fieldset",
          { class: "form" },
          editor.element,
          button("Remove the call", undefined, () => {
            editors = editors.filter((other) => other !== editor)
            draw()
            changed()
          }),
        ),
      ),
    )
  }
  /** @param {any} call */
  const make = (call) => callEditor(task, call, changed)
  editors = (Array.isArray(calls) ? calls : []).map(make)
  draw()
  const add = button("Call a tool", undefined, () => {
    editors = [...editors, make(undefined)]
    draw()
    changed()
    focusFirst(/** @type {HTMLElement} */ (list.lastElementChild))
  })
  return {
    element: h("div", { class: "form" }, text.element, list, task.tools.length === 0 ? undefined : add),
    read: () => {
      const made = editors.map((editor) => editor.read())
      const said = text.field.value
      if (made.length === 0) return { ...others, content: said }
      return { ...others, ...(said !== "" || "content" in given ? { content: said } : {}), tool_calls: made }
    },
    focus: () => (editors.length > 0 && text.field.value === "" ? focusFirst(list) : text.field.focus()),
    show: (issues) => {
      const ofCall = (/** @type {string} */ path) => Number(/^output\.tool_calls\[(\d+)\]/.exec(path)?.[1] ?? -1)
      for (const [index, editor] of editors.entries()) editor.show(issues.filter(({ path }) => ofCall(path) === index))
      text.show(issues.filter(({ path }) => ofCall(path) < 0))
    },
  }
}

/**
 * @param {TaskView} task
 * @param {any} given
 * @param {() => void} changed
 */
function callEditor(task, given, changed) {
  const id = freshId()
  const before = given?.function?.arguments
  // Arguments are JSON in a text, as models write them, where the call had them so or is new.
  const isText = before === undefined || typeof before === "string"
  const place = h("div")
  const name = h(
    "select",
    { id },
    task.tools.map((tool) => h("option", { value: tool.name, title: tool.description }, tool.name)),
  )
  name.value = typeof given?.function?.name === "string" ? given.function.name : (task.tools[0]?.name ?? "")
  /** @type {Editor} */
  let editor
  /** @param {unknown} value */
  const open = (value) => {
    const parameters = task.tools.find((tool) => tool.name === name.value)?.parameters ?? {}
    editor = jsonEditor(parameters, value, changed, "arguments")
    place.replaceChildren(editor.element)
  }
  name.addEventListener("change", () => {
    open(undefined)
    changed()
  })
  open(isText ? parsed(before) : before)
  return {
    element: h("div", { class: "list" }, h("div", { class: "leaf" }, h("label", { for: id }, "calls"), name), place),
    read: () => {
      const value = editor.read()
      return {
        ...given,
        type: given?.type ?? "function",
        function: { ...given?.function, name: name.value, arguments: isText ? JSON.stringify(value) : value },
      }
    },
    /** @param {readonly { path: string, message: string }[]} issues */
    show: (issues) =>
      editor.show(
        issues.map(({ path, message }) => ({
          path: path.replace(/^output\.tool_calls\[\d+\]\.function\./, ""),
          message,
        })),
      ),
  }
}

/** @param {unknown} text */
function parsed(text) {
  if (typeof text !== "string" || text === "") return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @param {HTMLElement} element */
function focusFirst(element) {
  const first = element.querySelector("input, select, textarea, button")
  if (first instanceof HTMLElement) first.focus()
}
