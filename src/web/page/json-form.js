import { freshId, h } from "./dom.js"

/**
 * A form for a JSON value: one field a leaf, as the JSON Schema has them. What a schema says that has no field of its
 * own (anyOf and the like) is edited as JSON. `read` gives the value, undefined for what is left out; it throws a
 * sentence where a field holds no value at all. Whether the value is valid is for the server to say: `problem` shows it
 * at the field that it is about.
 * @typedef {object} Form
 * @property {HTMLElement} element
 * @property {() => unknown} read
 * @property {(path: string, message: string) => boolean} problem
 * @property {() => void} clear
 *
 * @typedef {Record<string, any>} Schema
 */

/** A field holds no value: a sentence that says what is wanted, and where. */
export class FieldError extends Error {
  /**
   * @param {string} path
   * @param {string} message
   */
  constructor(path, message) {
    super(message)
    this.path = path
  }
}

const longString = 70
/** A schema may refer to itself: what lies deeper is edited as JSON. */
const deepest = 8

/**
 * @param {Schema} schema
 * @param {unknown} value
 * @param {() => void} changed
 * @returns {Form}
 */
export function jsonForm(schema, value, changed) {
  return node(schema, schema, value, "", "", true, changed)
}

/**
 * @param {Schema} root
 * @param {Schema} given
 * @param {unknown} value
 * @param {string} name
 * @param {string} path
 * @param {boolean} isRequired
 * @param {() => void} changed
 * @returns {Form}
 */
function node(root, given, value, name, path, isRequired, changed) {
  const schema = resolve(root, given)
  const types = Array.isArray(schema["type"]) ? schema["type"] : schema["type"] === undefined ? [] : [schema["type"]]
  const canBeNull = types.includes("null")
  const type = types.length - (canBeNull ? 1 : 0) === 1 ? types.find((candidate) => candidate !== "null") : undefined
  const about = { name, path, isRequired, canBeNull, hint: hintOf(schema), changed }
  const isFit = value === undefined || value === null
  if (path.split(".").length > deepest) return raw(about, value)
  if (Array.isArray(schema["enum"])) return choice(about, schema["enum"], value)
  if (type === "boolean") return choice(about, canBeNull ? [true, false, null] : [true, false], value)
  if (type === "object" && schema["properties"] && (!canBeNull || !isFit) && (isFit || isObject(value)))
    return object(root, schema, value, about)
  if (type === "array" && isObject(schema["items"]) && !canBeNull && (isFit || Array.isArray(value)))
    return list(root, schema, value, about)
  if (
    (type === "string" && (isFit || typeof value === "string")) ||
    ((type === "number" || type === "integer") && (isFit || typeof value === "number"))
  )
    return leaf(about, type, value, schema)
  return raw(about, value)
}

/**
 * @typedef {{ name: string, path: string, isRequired: boolean, canBeNull: boolean, hint: string, changed: () => void }}
 * About
 */

/**
 * @param {About} about
 * @param {readonly unknown[]} values
 * @param {unknown} value
 * @returns {Form}
 */
function choice(about, values, value) {
  const place = values.findIndex((candidate) => JSON.stringify(candidate) === JSON.stringify(value))
  const input = h(
    "select",
    {},
    h("option", { value: "" }, about.isRequired ? "choose" : "left out"),
    values.map((candidate, index) =>
      h(
        "option",
        { value: index },
        candidate === true ? "yes" : candidate === false ? "no" : candidate === null ? "none" : String(candidate),
      ),
    ),
  )
  input.value = place < 0 ? "" : String(place)
  return field(about, input, () => (input.value === "" ? undefined : values[Number(input.value)]))
}

/**
 * @param {About} about
 * @param {string} type
 * @param {unknown} value
 * @param {Schema} schema
 * @returns {Form}
 */
function leaf(about, type, value, schema) {
  const text = value === undefined || value === null ? "" : String(value)
  const isLong =
    type === "string" && (text.length > longString || text.includes("\n") || (schema["maxLength"] ?? 0) > 200)
  const input = isLong
    ? h("textarea", { rows: 3, dir: "auto" })
    : h("input", {
        type: "text",
        autocomplete: "off",
        dir: "auto",
        inputmode: type === "string" ? undefined : "decimal",
      })
  input.value = text
  return field(about, input, () => {
    if (input.value === "" && about.canBeNull) return null
    if (input.value === "" && (!about.isRequired || type !== "string")) return undefined
    if (type === "string") return input.value
    return numberIn(input.value, type, about)
  })
}

/**
 * The number that was written; a FieldError that says how one is written where it is none.
 * @param {string} text
 * @param {string} type
 * @param {About} about
 */
function numberIn(text, type, about) {
  const isNumber = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(text)
  if (isNumber && (type !== "integer" || Number.isInteger(Number(text)))) return Number(text)
  const wanted =
    type === "integer"
      ? "a whole number is wanted, such as 1234"
      : "a number is wanted, such as 1234.5: a point before the decimals, and nothing between the thousands"
  throw new FieldError(about.path, `got ${JSON.stringify(text)}; ${wanted}${about.canBeNull ? "; empty for none" : ""}`)
}

/**
 * @param {About} about
 * @param {unknown} value
 * @returns {Form}
 */
function raw(about, value) {
  const input = h("textarea", { rows: 4, class: "mono", spellcheck: "false" })
  input.value = value === undefined ? "" : JSON.stringify(value, undefined, 2)
  return field({ ...about, hint: [about.hint, "JSON"].filter(Boolean).join("; ") }, input, () => {
    if (input.value.trim() === "") return undefined
    try {
      return JSON.parse(input.value)
    } catch {
      throw new FieldError(about.path, `${about.name || "the output"} is not valid JSON`)
    }
  })
}

/**
 * @param {About} about
 * @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} input
 * @param {() => unknown} read
 * @returns {Form}
 */
function field(about, input, read) {
  const [id, said] = [freshId(), freshId()]
  input.id = id
  input.setAttribute("aria-describedby", said)
  const problem = h("p", { class: "problem", id: said })
  input.addEventListener("input", about.changed)
  const optional = about.isRequired ? "" : " (may be left out)"
  return {
    element: h(
      "div",
      { class: "leaf" },
      h("label", { for: id }, (about.name || "output") + optional),
      input,
      about.hint === "" ? undefined : h("p", { class: "hint" }, about.hint),
      problem,
    ),
    read,
    problem: (path, message) => {
      if (path !== about.path) return false
      problem.append(h("span", {}, problem.childElementCount > 0 ? `; ${message}` : message))
      input.setAttribute("aria-invalid", "true")
      return true
    },
    clear: () => {
      problem.replaceChildren()
      input.removeAttribute("aria-invalid")
    },
  }
}

/**
 * @param {Schema} root
 * @param {Schema} schema
 * @param {unknown} value
 * @param {About} about
 * @returns {Form}
 */
function object(root, schema, value, about) {
  const given = isObject(value) ? value : {}
  const properties = Object.entries(/** @type {Record<string, Schema>} */ (schema["properties"]))
  const required = new Set(schema["required"] ?? [])
  const members = properties.map(([name, member]) => ({
    name,
    form: node(root, member, given[name], name, `${about.path}.${name}`, required.has(name), about.changed),
  }))
  // What the schema does not name stays as it is.
  const others = Object.entries(given).filter(([name]) => !properties.some(([known]) => known === name))
  const problem = h("p", { class: "problem" })
  return {
    element: h(
      "fieldset",
      { class: "form" },
      about.name === "" ? undefined : h("legend", {}, about.name + (about.isRequired ? "" : " (may be left out)")),
      members.map(({ form }) => form.element),
      others.length === 0
        ? undefined
        : h("p", { class: "hint" }, `kept as it is: ${others.map(([name]) => name).join(", ")}`),
      problem,
    ),
    read: () => {
      const read = members.flatMap(({ name, form }) => {
        const member = form.read()
        return member === undefined ? [] : [[name, member]]
      })
      if (read.length === 0 && others.length === 0 && !about.isRequired) return undefined
      return Object.fromEntries([...read, ...others])
    },
    problem: (path, message) => {
      if (members.some(({ form }) => form.problem(path, message))) return true
      // A missing member is the object's problem; it is shown at the member.
      const missing = /\(([^()]+)\)$/.exec(message)?.[1]
      if (
        path === about.path &&
        members.some(({ name, form }) => name === missing && form.problem(`${path}.${name}`, "missing"))
      )
        return true
      if (path !== about.path) return false
      problem.append(h("span", {}, problem.childElementCount > 0 ? `; ${message}` : message))
      return true
    },
    clear: () => {
      problem.replaceChildren()
      for (const { form } of members) form.clear()
    },
  }
}

/**
 * @param {Schema} root
 * @param {Schema} schema
 * @param {unknown} value
 * @param {About} about
 * @returns {Form}
 */
function list(root, schema, value, about) {
  /** @type {Form[]} */
  let entries = []
  const rows = h("div", { class: "list" })
  const problem = h("p", { class: "problem" })
  /** @param {unknown} entry */
  const make = (entry) => node(root, schema["items"], entry, "", "", true, about.changed)
  const draw = () => {
    rows.replaceChildren(
      ...entries.map((form, index) =>
        entryRow(form, `${about.name} ${index + 1}`, () => {
          entries = entries.filter((other) => other !== form)
          draw()
          about.changed()
          add.focus()
        }),
      ),
    )
  }
  const append = () => {
    entries = [...entries, make(undefined)]
    draw()
    about.changed()
    const first = rows.lastElementChild?.querySelector("input, select, textarea")
    if (first instanceof HTMLElement) first.focus()
  }
  const add = h("button", { type: "button", onclick: append }, "Add")
  entries = (Array.isArray(value) ? value : []).map(make)
  const wasGiven = Array.isArray(value)
  draw()
  return {
    element: h(
      "fieldset",
      {},
      h("legend", {}, (about.name || "output") + (about.isRequired ? "" : " (may be left out)")),
      rows,
      add,
      problem,
    ),
    read: () =>
      entries.length === 0 && !about.isRequired && !wasGiven
        ? undefined
        : entries.map((form, index) => within(`${about.path}.${index}`, () => form.read() ?? null)),
    problem: (path, message) => {
      if (path === about.path) {
        problem.append(h("span", {}, problem.childElementCount > 0 ? `; ${message}` : message))
        return true
      }
      if (!path.startsWith(`${about.path}.`)) return false
      const [index = "", ...rest] = path.slice(about.path.length + 1).split(".")
      return entries[Number(index)]?.problem(rest.map((part) => `.${part}`).join(""), message) ?? false
    },
    clear: () => {
      problem.replaceChildren()
      for (const form of entries) form.clear()
    },
  }
}

/**
 * What is read; an error of a field has its path from the root.
 * @template Value
 * @param {string} path
 * @param {() => Value} read
 * @returns {Value}
 */
function within(path, read) {
  try {
    return read()
  } catch (error) {
    throw error instanceof FieldError ? new FieldError(path + error.path, error.message) : error
  }
}

/**
 * An entry of a list and the button that takes it out.
 * @param {Form} form
 * @param {string} name
 * @param {() => void} remove
 */
function entryRow(form, name, remove) {
  return h(
    "div",
    { class: "entry", role: "group", "aria-label": name },
    form.element,
    h("button", { type: "button", class: "plain", "aria-label": `remove ${name}`, onclick: remove }, "Remove"),
  )
}

/**
 * @param {Schema} root
 * @param {Schema} schema
 * @returns {Schema}
 */
function resolve(root, schema) {
  const reference = schema["$ref"]
  if (typeof reference !== "string" || !reference.startsWith("#/")) return schema
  let found = /** @type {any} */ (root)
  for (const part of reference.slice(2).split("/"))
    found = found?.[decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~")]
  return isObject(found) && found["$ref"] === undefined ? found : {}
}

/** @param {Schema} schema */
function hintOf(schema) {
  return [schema["description"], schema["format"] === "date" ? "YYYY-MM-DD" : schema["format"]]
    .filter(Boolean)
    .join("; ")
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
