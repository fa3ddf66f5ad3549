import { askName, showHelp } from "./dialogs.js"
import { button, byId, h } from "./dom.js"
import { editorOf } from "./editors.js"
import { showBeside, showItem } from "./item.js"
import { labelButtons } from "./label-buttons.js"
import { recall, recallName, remember, rememberName } from "./memory.js"
import { call, leave, Lost, Refused } from "./server.js"
import { showDifference } from "./show.js"

/** @typedef {import("../review-wire.ts").TaskView} TaskView */
/** @typedef {import("../review-wire.ts").ItemView} ItemView */
/** @typedef {import("../review-wire.ts").NextAnswer} NextAnswer */
/** @typedef {import("../review-wire.ts").Choice} Choice */
/** @typedef {{ key: string, text: string, press: () => void, isMain?: boolean, isQuiet?: boolean, isHidden?: boolean }} Action */

const againMs = 2000
const checkAfterMs = 250

/** @type {TaskView} */
const task = await insist(() => call("task"))
const memory = await recall(task.task)
let reviewer = task.reviewer ?? recallName() ?? (await askName(undefined))
/** @type {ItemView | undefined} */
let item
/** @type {"look" | "edit" | "reject"} */
let mode = "look"
let isBusy = true
/** @type {ReadonlySet<string>} The labels that are chosen, of a multilabel task. */
let chosen = new Set()
/** @type {import("./editors.js").Editor | undefined} */
let editor
/** @type {ReturnType<typeof labelButtons> | undefined} */
let labels
const comment = h("textarea", { class: "comment", rows: 2, "aria-label": "comment", placeholder: "comment", dir: "auto" })
const said = h("p", { class: "saved", role: "status" })

begin()

async function begin() {
  byId("task").textContent = task.task
  document.title = task.task
  drawName()
  byId("help-button").addEventListener("click", showHelp)
  byId("who").addEventListener("click", changeName)
  document.addEventListener("keydown", press)
  addEventListener("pagehide", () => leave(memory.page))
  addEventListener("pageshow", (event) => event.persisted && next(memory.item))
  comment.addEventListener("input", keepDraft)
  if (memory.unsent !== undefined) await send()
  else await next(memory.item)
}

/** @param {string} [wished] */
async function next(wished) {
  isBusy = true
  draw(await insist(() => call("next", { ...who(), item: wished })))
}

/** @param {NextAnswer} answer */
function draw(answer) {
  item = answer.item
  memory.item = item?.id
  const draft = item !== undefined && memory.draft?.item === item.id && memory.draft.revision === item.revision ? memory.draft : undefined
  memory.draft = draft
  comment.value = draft?.comment ?? item?.mine?.comment ?? ""
  drawProgress(answer.progress)
  byId("beside").replaceChildren(...showBeside(task, item, answer.progress.agreement))
  const isWritten = task.kind !== "label" && task.kind !== "multilabel"
  mode = isWritten && item !== undefined && (draft?.isEditing || item.mine?.verdict === "edit" || !hasOutput(item)) ? "edit" : "look"
  chosen = new Set(asLabels(draft?.output ?? item?.mine?.output ?? (item?.kind === "conflict" ? [] : item?.proposed)))
  isBusy = false
  remember(task.task, memory)
  drawItem()
  scrollTo(0, 0)
  byId("item").focus({ preventScroll: true })
}

function drawItem() {
  const main = byId("item")
  main.setAttribute("aria-busy", "false")
  editor = undefined
  labels = undefined
  if (item === undefined) main.replaceChildren(showEnd())
  else main.replaceChildren(showItem(task, item), h("div", { id: "answer" }))
  if (item !== undefined) drawAnswer()
  drawActions()
}

function drawAnswer() {
  if (item === undefined) return
  const place = byId("answer")
  place.replaceChildren()
  if (mode === "reject") place.append(showReasons())
  else if (task.kind === "label" || task.kind === "multilabel") {
    labels = labelButtons(task, { marked: marks(item), pressed: () => chosen, press: pressLabel })
    place.append(h("h2", {}, task.kind === "label" ? "Labels" : "Labels: choose all that fit"), labels.element)
  } else if (mode === "edit") place.append(showEditor())
  place.append(h("div", { id: "comment", hidden: comment.value === "" }, h("h2", {}, "Comment"), comment))
}

/** @param {ItemView} of */
function marks(of) {
  /** @type {Record<string, string>} */
  const marked = {}
  const [first, second] = of.kind === "conflict" ? ["A", "B"] : ["proposed", "now"]
  for (const label of asLabels(of.current)) marked[label] = second
  for (const label of asLabels(of.proposed)) marked[label] = marked[label] === undefined ? first : `${first}, ${marked[label]}`
  return marked
}

function showEditor() {
  const begun = memory.draft?.output ?? (item?.mine?.verdict === "edit" ? item.mine.output : item?.proposed)
  const difference = h("div", { "aria-live": "polite" })
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  const changed = () => {
    keepDraft()
    clearTimeout(timer)
    timer = setTimeout(() => check(difference), checkAfterMs)
  }
  editor = editorOf(task, begun, changed)
  if (memory.draft !== undefined || item?.mine?.verdict === "edit") changed()
  return h(
    "div",
    { class: "editor" },
    h("h2", {}, item !== undefined && hasOutput(item) ? "Your edit" : "The right output"),
    editor.element,
    difference,
  )
}

/** @param {HTMLElement} place where the edit is shown against the proposal */
async function check(place) {
  const [of, by] = [item, editor]
  if (of === undefined || by === undefined) return
  try {
    const output = by.read()
    const { issues, difference } = await call("check", { item: of.id, output })
    if (by !== editor) return
    by.show(issues)
    const isChanged = difference?.some((/** @type {{ side: string }} */ { side }) => side !== "both") === true
    place.replaceChildren(
      ...(isChanged ? [h("h2", {}, "What you changed"), showDifference(difference, undefined, task.kind === "json" ? "mono" : "text")] : []),
    )
  } catch (error) {
    if (by === editor && !(error instanceof Lost)) by.show([{ path: "output", message: messageOf(error) }])
  }
}

function showReasons() {
  const field = h("input", {
    id: "reason",
    autocomplete: "off",
    placeholder: "or in your own words, then Enter",
    "aria-label": "the reason in your own words",
  })
  field.addEventListener("keydown", (event) => {
    const reason = field.value === "" ? task.reasons[Number(event.key) - 1] : undefined
    if (reason !== undefined || (event.key === "Enter" && field.value.trim() !== "")) {
      event.preventDefault()
      reject(reason ?? field.value.trim())
    }
  })
  return h(
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
}

/** @param {string} reason */
function reject(reason) {
  const more = comment.value.trim()
  answer("reject", undefined, more === "" ? reason : `${reason}: ${more}`)
}

function showEnd() {
  const last = byId("progress").dataset
  const elsewhere = Number(last["elsewhere"] ?? 0)
  return h(
    "div",
    { class: "done" },
    h("p", {}, elsewhere > 0 ? "The last items are open on other pages." : "Nothing waits for you."),
    h(
      "p",
      { class: "soft" },
      elsewhere > 0
        ? `${elsewhere} of them; they come back when a page is closed.`
        : "What you decided is saved. The next step is for whoever builds the dataset: ",
      elsewhere > 0 ? undefined : h("code", { class: "mono" }, `tuneloop build ${task.task}`),
    ),
    h(
      "p",
      {},
      button("Look again", "L", () => next()),
    ),
  )
}

/** @param {import("../review-wire.ts").Progress} progress */
function drawProgress({ decided, waiting, skipped, elsewhere }) {
  const place = byId("progress")
  place.dataset["elsewhere"] = String(elsewhere)
  place.textContent = `${decided.toLocaleString("en")} decided · ${waiting.toLocaleString("en")} to go${skipped > 0 ? ` · ${skipped} skipped` : ""}`
  const share = decided + waiting === 0 ? 100 : Math.floor((100 * decided) / (decided + waiting))
  const meter = byId("meter")
  meter.setAttribute("aria-valuenow", String(share))
  const bar = /** @type {HTMLElement} */ (meter.firstElementChild)
  bar.style.width = `${share}%`
}

/** What can be done now: the buttons at the bottom, and the keys. @returns {Action[]} */
function actions() {
  const undo = { key: "U", text: "Undo", press: undoLast, isQuiet: true }
  if (item === undefined) return [undo, { key: "L", text: "Look again", press: () => next(), isHidden: true }]
  const rest = [
    { key: "C", text: "Comment", press: openComment, isQuiet: true },
    { key: "S", text: "Skip", press: skip, isQuiet: true },
    undo,
  ]
  const turnDown = item.choices.includes("reject") && item.needsReason ? [{ key: "R", text: "Reject", press: () => turn("reject") }] : []
  if (mode === "reject") return [{ key: "Esc", text: "Back", press: () => turn("look") }]
  if (mode === "edit")
    return [
      { key: "Ctrl Enter", text: "Save", press: saveEdit, isMain: true },
      { key: "E", text: "Write", press: () => editor?.focus(), isHidden: true },
      ...(hasOutput(item) ? [{ key: "Esc", text: "Close", press: () => turn("look") }] : []),
      ...turnDown,
      ...rest,
    ]
  const isDirty = task.kind === "multilabel" && !isSameSet(chosen, item.kind === "conflict" ? [] : asLabels(item.proposed))
  const needsSaving = isDirty || (task.kind === "multilabel" && !hasOutput(item))
  return [
    ...(needsSaving ? [{ key: "Enter", text: "Save these labels", press: () => answer("edit", inOrder(chosen)), isMain: true }] : []),
    ...(isDirty && item.kind !== "conflict" ? [] : choicesOf(item)),
    ...(task.kind === "label" || task.kind === "multilabel"
      ? [
          { key: "E", text: "Choose a label", press: () => labels?.focus(), isHidden: true },
          { key: "/", text: "Find a label", press: () => labels?.focus(), isHidden: true },
        ]
      : [{ key: "E", text: memory.draft?.output === undefined ? "Edit" : "Go on editing", press: () => turn("edit") }]),
    ...turnDown,
    ...rest,
  ]
}

/** @param {ItemView} of @returns {Action[]} */
function choicesOf(of) {
  if (of.kind === "conflict")
    return [
      { key: "A", text: "A is right for both", press: () => answer("a") },
      { key: "B", text: "B is right for both", press: () => answer("b") },
      { key: "K", text: "Keep both", press: () => answer("both") },
    ]
  if (!of.choices.includes("accept")) return []
  if (of.needsReason) return [{ key: "A", text: "Accept", press: () => answer("accept"), isMain: true }]
  return [
    { key: "A", text: task.kind === "label" ? `Change to ${of.proposed}` : "Take the proposed output", press: () => answer("accept") },
    { key: "K", text: task.kind === "label" ? `Keep ${of.current}` : "Keep the output", press: () => answer("reject") },
  ]
}

function drawActions() {
  byId("actions").replaceChildren(
    ...actions()
      .filter(({ isHidden }) => !isHidden)
      .map(({ key, text, press: run, isMain, isQuiet }) =>
        button(text, key, () => !isBusy && run(), { class: isMain ? "main" : isQuiet ? "plain" : undefined, disabled: isBusy }),
      ),
    said,
  )
}

/** @param {KeyboardEvent} event */
function press(event) {
  if (document.querySelector("dialog[open]") !== null || event.isComposing) return
  const target = /** @type {HTMLElement} */ (event.target)
  const isWriting = target.matches("input, textarea, select")
  if (event.key === "Escape") {
    if (isWriting) target.blur()
    if (mode === "reject" || (mode === "edit" && item !== undefined && hasOutput(item))) turn("look")
    byId("item").focus({ preventScroll: true })
    return
  }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && mode === "edit") {
    event.preventDefault()
    if (!isBusy) saveEdit()
    return
  }
  if (isWriting || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return
  // A button that has the focus is pressed by Enter itself.
  if (event.key === "Enter" && target.matches("button, a, summary")) return
  if (event.key === "?") {
    event.preventDefault()
    showHelp()
    return
  }
  if (isBusy) return
  const action = actions().find(({ key }) => key.toLowerCase() === event.key.toLowerCase())
  if (action !== undefined || (mode === "look" && labels?.key(event.key))) event.preventDefault()
  action?.press()
}

/** @param {"look" | "edit" | "reject"} to */
function turn(to) {
  mode = to === "look" && item !== undefined && !hasOutput(item) && task.kind !== "label" && task.kind !== "multilabel" ? "edit" : to
  if (to !== "reject") keepDraft()
  drawAnswer()
  drawActions()
  if (to === "edit") editor?.focus()
  if (to === "reject") byId("reason").focus()
}

/** @param {string} label */
function pressLabel(label) {
  if (isBusy) return
  if (task.kind === "label") {
    answer("edit", label)
    return
  }
  const without = [...chosen].filter((other) => other !== label)
  chosen = new Set(chosen.has(label) ? without : [...chosen, label])
  keepDraft()
  labels?.draw()
  drawActions()
}

function openComment() {
  byId("comment").hidden = false
  comment.focus()
}

function saveEdit() {
  try {
    answer("edit", editor?.read())
  } catch (error) {
    editor?.show([{ path: "output", message: messageOf(error) }])
  }
}

/**
 * @param {Choice} choice
 * @param {unknown} [output]
 * @param {string} [words]
 */
function answer(choice, output, words = comment.value.trim()) {
  if (item === undefined || isBusy) return
  keepDraft()
  memory.unsent = { item: item.id, revision: item.revision, choice, output, comment: words }
  remember(task.task, memory)
  send()
}

/** The unsent answer is on the server's disk, or its refusal is shown; until then it is kept. */
async function send() {
  isBusy = true
  drawActions()
  try {
    const recorded = await insist(() => call("decide", { ...who(), ...memory.unsent }))
    memory.steps.push({ kind: "decided", item: recorded.item, at: recorded.at })
    said.textContent = `Saved: ${recorded.verdict === "accept" ? "accepted" : recorded.verdict === "reject" ? "rejected" : "edited"}`
    memory.draft = undefined
    memory.unsent = undefined
    await next()
  } catch (error) {
    const asked = memory.item
    memory.unsent = undefined
    remember(task.task, memory)
    await next(asked)
    tell(messageOf(error))
  }
}

async function skip() {
  if (item === undefined) return
  isBusy = true
  const { id } = item
  keepDraft()
  await insist(() => call("skip", { ...who(), item: id }))
  memory.steps.push({ kind: "skipped", item: id })
  said.textContent = "Skipped: it comes again later"
  await next()
}

async function undoLast() {
  isBusy = true
  const step = memory.steps.pop()
  if (step?.kind === "skipped") {
    said.textContent = "Back to what you skipped"
    await next(step.item)
    return
  }
  try {
    const decision = step === undefined ? await insist(() => call("last", who())) : { item: step.item, at: step.at }
    const taken = await insist(() => call("withdraw", { ...who(), decision }))
    memory.draft = undefined
    draw(taken)
    said.textContent = "Taken back: decide again"
  } catch (error) {
    isBusy = false
    drawActions()
    said.textContent = messageOf(error)
  }
}

/**
 * What the call answers; while the server is not there it is asked again, and the page says so.
 * @template Answer
 * @param {() => Promise<Answer>} ask
 * @returns {Promise<Answer>}
 */
async function insist(ask) {
  for (;;) {
    try {
      const given = await ask()
      tell(undefined)
      return given
    } catch (error) {
      const isTransient = error instanceof Lost || (error instanceof Refused && (error.status >= 500 || error.status === 401))
      if (!isTransient) throw error
      tell(
        `${error instanceof Lost ? "The server does not answer." : messageOf(error)} Your answer is kept on this page, and is sent when the server is back.`,
      )
      await new Promise((resolve) => setTimeout(resolve, againMs))
    }
  }
}

/** @param {string | undefined} message */
function tell(message) {
  const place = byId("notice")
  place.hidden = message === undefined
  place.replaceChildren(...(message === undefined ? [] : [h("p", {}, message)]))
}

/** What is being written is there after a reload. */
function keepDraft() {
  if (item === undefined) return
  /** @type {unknown} */
  let output = memory.draft?.output
  try {
    if (task.kind === "multilabel") output = inOrder(chosen)
    else if (editor !== undefined && mode === "edit") output = editor.read()
  } catch {
    // What holds no value yet keeps the last value that it held.
  }
  const isBegun = comment.value !== "" || (output !== undefined && JSON.stringify(output) !== JSON.stringify(item.proposed))
  memory.draft = isBegun ? { item: item.id, revision: item.revision, output, comment: comment.value, isEditing: mode === "edit" } : undefined
  remember(task.task, memory)
}

async function changeName() {
  if (task.reviewer !== undefined) return
  const name = await askName(reviewer)
  if (name === reviewer) return
  reviewer = name
  memory.steps = []
  drawName()
  await next(memory.item)
}

function drawName() {
  if (task.reviewer === undefined) rememberName(reviewer)
  const place = byId("who")
  place.hidden = false
  place.textContent = reviewer
  place.setAttribute("aria-label", task.reviewer === undefined ? `${reviewer} reviews; change the name` : `${reviewer} reviews`)
  place.toggleAttribute("disabled", task.reviewer !== undefined)
}

function who() {
  return { reviewer, page: memory.page }
}

/** @param {ItemView} of */
function hasOutput(of) {
  return of.proposed !== undefined && of.proposed !== null
}

/** @param {unknown} output @returns {string[]} */
function asLabels(output) {
  return Array.isArray(output) ? output.map(String) : typeof output === "string" ? [output] : []
}

/** @param {ReadonlySet<string>} set */
function inOrder(set) {
  return task.labels.flatMap(({ name }) => (set.has(name) ? [name] : []))
}

/** @param {ReadonlySet<string>} a @param {readonly string[]} b */
function isSameSet(a, b) {
  return a.size === b.length && b.every((label) => a.has(label))
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error)
}
