/**
 * An element. Texts become text nodes and never markup, whatever is in them: nothing on this page is made from HTML.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [properties] attributes; `on…` with a function listens, `class` is the class,
 * undefined and false are left out
 * @param {...(Node | string | undefined | (Node | string | undefined)[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue
    if (typeof value === "function") element.addEventListener(name.slice(2), /** @type {EventListener} */ (value))
    else element.setAttribute(name, value === true ? "" : String(value))
  }
  for (const child of children.flat()) if (child !== undefined) element.append(child)
  return element
}

/**
 * A button that shows its key.
 * @param {string} text
 * @param {string | undefined} key
 * @param {() => void} press
 * @param {Record<string, unknown>} [properties]
 */
export function button(text, key, press, properties = {}) {
  const shown = key === undefined ? undefined : h("kbd", { "aria-hidden": "true" }, key)
  return h("button", { type: "button", onclick: press, "aria-keyshortcuts": key, ...properties }, text, shown)
}

/**
 * The element of the document with this id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the document has no ${id}`)
  return element
}

/** A name that no other element has. */
export function freshId() {
  count += 1
  return `made-${count}`
}
let count = 0
