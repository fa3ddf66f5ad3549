import { actionsOf, asLabels, hasLabels, hasOutput, inOrder, labelsToBeginWith, mayEdit } from "./actions.js"
import { showName, showProgress, tell as tellAtTop } from "./bar.js"
import { askName, askWhether, showHelp } from "./dialogs.js"
import { button, byId, h } from "./dom.js"
import { showBeside, showItem } from "./item.js"
import { labelButtons } from "./label-buttons.js"
import { recall, recallName, remember, rememberName } from "./memory.js"
import { editPanel, endPanel, reasonPanel } from "./panels.js"
import { FieldError } from "./json-form.js"
import { call, insist, leave, messageOf, Refused } from "./server.js"

/** @typedef {import("../review-wire.ts").TaskView} TaskView */
/** @typedef {import("../review-wire.ts").ItemView} ItemView */
/** @typedef {import("../review-wire.ts").NextAnswer} NextAnswer */
/** @typedef {import("../review-wire.ts").Recorded} Recorded */

const said = h("p", { class: "saved", role: "status" })
const task = /** @type {TaskView} */ (await insist(() => call("task"), tell))
const memory = await recall(task.task)
let reviewer = task.reviewer ?? recallName() ?? (await askWho(undefined))
/** @type {ItemView | undefined} */
let item
let elsewhere = 0
/** @type {"look" | "edit" | "reject"} */
let mode = "look"
/** Nothing is taken while an answer is on its way: a key that is pressed twice must not decide on the item after it. */
let isBusy = true
/** Whether somebody wrote in the editor: one that only stands open is no draft. */
let isTouched = false
/** @type {ReadonlySet<string>} The labels that are chosen, of a multilabel task. */
let chosen = new Set()
/** @type {ReturnType<typeof editPanel> | undefined} */
let editor
/** @type {ReturnType<typeof labelButtons> | undefined} */
let labels
const comment = h("textarea", {
  class: "comment",
  rows: 2,
  "aria-label": "comment",
  placeholder: "a comment, kept with the decision",
  dir: "auto",
})

await begin()

async function begin() {
  byId("task").textContent = task.task
  document.title = `${task.task} · review`
  drawName()
  byId("help-button").addEventListener("click", showHelp)
  byId("who").addEventListener("click", () => changeName())
  document.addEventListener("keydown", press)
  addEventListener("pagehide", () => leave(memory.page))
  addEventListener("pageshow", (event) => event.persisted && next(memory.item))
  comment.addEventListener("input", keepDraft)
  if (memory.unsent === undefined) await next(memory.item)
  else await send()
}

/**
 * The next item is shown, or that one.
 * @param {string} [wished]
 */
async function next(wished) {
  isBusy = true
  try {
    draw(await insist(() => call("next", { ...who(), item: wished }), tell))
  } catch (error) {
    tell(messageOf(error))
    if (task.reviewer === undefined) await changeName()
  }
}

/** @param {NextAnswer} answer */
function draw(answer) {
  item = answer.item
  elsewhere = answer.progress.elsewhere
  memory.item = item?.id
  if (memory.draft?.item !== item?.id || memory.draft?.revision !== item?.revision) memory.draft = undefined
  const mine = item?.mine
  comment.value = memory.draft?.comment ?? mine?.comment ?? ""
  showProgress(answer.progress)
  byId("beside").replaceChildren(...showBeside(task, item, answer.progress.agreement))
  const isOpen =
    memory.draft?.isEditing === true || mine?.verdict === "edit" || (item !== undefined && !hasOutput(item))
  mode = item !== undefined && !hasLabels(task) && mayEdit(item) && isOpen ? "edit" : "look"
  chosen = new Set(item === undefined ? [] : asLabels(memory.draft?.output ?? mine?.output ?? labelsToBeginWith(item)))
  isBusy = false
  remember(task.task, memory)
  byId("item").setAttribute("aria-busy", "false")
  byId("item").replaceChildren(
    ...(item === undefined
      ? [endPanel(task, elsewhere, () => next())]
      : [showItem(task, item), h("div", { id: "answer" })]),
  )
  drawAnswer()
  scrollTo(0, 0)
  byId("item").focus({ preventScroll: true })
}

/** How the item is answered in this mode: labels, an editor, reasons; and the buttons. */
function drawAnswer() {
  editor = undefined
  labels = undefined
  isTouched = false
  if (item !== undefined)
    byId("answer").replaceChildren(
      ...answerParts(item),
      h("div", { id: "comment", hidden: comment.value === "" }, h("h2", {}, "Comment"), comment),
    )
  drawActions()
}

/** @param {ItemView} of */
function answerParts(of) {
  if (mode === "reject") {
    const panel = reasonPanel(task, reject)
    queueMicrotask(panel.focus)
    return [panel.element]
  }
  if (!mayEdit(of)) return []
  if (hasLabels(task)) {
    const pressed = () =>
      task.kind === "label" ? new Set(of.mine ? asLabels(of.mine.output) : labelsToBeginWith(of)) : chosen
    labels = labelButtons(task, { marked: marksOf(of), pressed, press: pressLabel })
    return [h("h2", {}, task.kind === "label" ? "Labels" : "Labels: choose all that fit"), labels.element]
  }
  if (mode !== "edit") return []
  const begun = memory.draft?.output ?? (of.mine?.verdict === "edit" ? of.mine.output : undefined)
  editor = editPanel(task, of, { begin: begun ?? of.proposed, isBegun: begun !== undefined, changed: touch })
  return [editor.element]
}

/** What each label is by now. @param {ItemView} of */
function marksOf(of) {
  const isPair = of.pair !== undefined || of.answers !== undefined
  /** @type {Record<string, string>} */
  const marks = {}
  for (const label of asLabels(of.current)) marks[label] = isPair ? "B" : "now"
  for (const label of asLabels(of.proposed))
    marks[label] = [isPair ? "A" : "proposed", marks[label]].filter(Boolean).join(", ")
  return marks
}

function actions() {
  const isBegun = memory.draft?.output !== undefined
  const deeds = {
    answer,
    save,
    write: () => editor?.focus(),
    findLabel: () => labels?.focus(),
    turn,
    comment: openComment,
    skip,
    undo,
    look: next,
  }
  return actionsOf(task, item, { mode, chosen, isBegun }, deeds)
}

function drawActions() {
  const shown = actions().filter(({ isHidden }) => !isHidden)
  byId("actions").replaceChildren(
    ...shown.map(({ key, text, press: run, isMain, isQuiet }) =>
      button(text, key, () => !isBusy && run(), {
        class: isMain ? "main" : isQuiet ? "plain" : undefined,
        disabled: isBusy,
      }),
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
    if (mode !== "look" && !isBusy) turn("look")
    byId("item").focus({ preventScroll: true })
    return
  }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && mode === "edit") {
    event.preventDefault()
    if (!isBusy && !event.repeat) save()
    return
  }
  if (isWriting || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return
  // A button that has the focus is pressed by Enter itself.
  if (event.key === "Enter" && target.matches("button")) return
  if (event.key === "?") {
    event.preventDefault()
    showHelp()
  }
  if (isBusy) return
  const action = actions().find(({ key }) => key.toLowerCase() === event.key.toLowerCase())
  if (action !== undefined || (mode === "look" && labels?.key(event.key))) event.preventDefault()
  action?.press()
}

/** @param {"look" | "edit" | "reject"} to */
function turn(to) {
  keepDraft()
  // Where there is nothing to look at, the editor stays.
  mode = to === "look" && item !== undefined && mayEdit(item) && !hasOutput(item) && !hasLabels(task) ? "edit" : to
  if (mode !== "reject" && memory.draft) memory.draft.isEditing = mode === "edit"
  drawAnswer()
  if (to === "edit") editor?.focus()
}

/** @param {string} label */
function pressLabel(label) {
  if (isBusy) return
  if (task.kind === "label") {
    answer("edit", label)
    return
  }
  chosen = new Set(chosen.has(label) ? [...chosen].filter((other) => other !== label) : [...chosen, label])
  keepDraft()
  labels?.draw()
  drawActions()
}

function openComment() {
  byId("comment").hidden = false
  comment.focus()
}

function save() {
  try {
    answer("edit", editor?.read())
  } catch (error) {
    showProblem(error)
  }
}

/**
 * What is wrong with what was written, where it is, and the cursor there.
 * @param {unknown} error
 */
function showProblem(error) {
  const issues = error instanceof Refused && error.issues.length > 0 ? error.issues : undefined
  const path = error instanceof FieldError ? `output${error.path}` : "output"
  editor?.show(issues ?? [{ path, message: messageOf(error) }])
  const wrong = byId("answer").querySelector('[aria-invalid="true"]')
  if (wrong instanceof HTMLElement) wrong.focus()
  else editor?.focus()
}

/** @param {string} reason */
function reject(reason) {
  const more = comment.value.trim()
  answer("reject", undefined, more === "" ? reason : `${reason}: ${more}`)
}

/**
 * @param {string} choice
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
  const asked = memory.item
  try {
    const recorded = /** @type {Recorded} */ (await insist(() => call("decide", { ...who(), ...memory.unsent }), tell))
    memory.steps.push({ kind: "decided", item: recorded.item, at: recorded.at })
    memory.draft = undefined
    memory.unsent = undefined
    say(`Saved: ${recorded.verdict === "accept" ? "accepted" : recorded.verdict === "reject" ? "rejected" : "edited"}`)
    await next()
  } catch (error) {
    memory.unsent = undefined
    // What was written stands as it was, with what is wrong beside it; an item that changed is shown anew.
    if (editor !== undefined && item?.id === asked && error instanceof Refused && !error.isChanged) {
      isBusy = false
      remember(task.task, memory)
      drawActions()
      showProblem(error)
      return
    }
    await next(asked)
    tell(messageOf(error))
  }
}

async function skip() {
  if (item === undefined) return
  isBusy = true
  const { id } = item
  keepDraft()
  await insist(() => call("skip", { ...who(), item: id }), tell)
  memory.steps.push({ kind: "skipped", item: id })
  say("Skipped: it comes again later")
  await next()
}

/**
 * The last answer of this page is taken back, or the last skip; of a page that gave none, the last answer of the
 * reviewer.
 */
async function undo() {
  isBusy = true
  const step = memory.steps.at(-1)
  try {
    if (step?.kind === "skipped") {
      memory.steps.pop()
      say("Back to what you skipped")
      await next(step.item)
      return
    }
    const decision =
      step === undefined ? await insist(() => call("last", who()), tell) : { item: step.item, at: step.at }
    const taken = await insist(() => call("withdraw", { ...who(), decision }), tell)
    memory.steps.pop()
    memory.draft = undefined
    say("Taken back: decide again")
    draw(taken)
  } catch (error) {
    isBusy = false
    say(messageOf(error))
    drawActions()
  }
}

function touch() {
  isTouched = true
  keepDraft()
}

/** What is being written is there after a reload. */
function keepDraft() {
  if (item === undefined) return
  /** @type {unknown} */
  let output = memory.draft?.output
  try {
    if (task.kind === "multilabel") output = inOrder(task, chosen)
    else if (editor !== undefined && isTouched) output = editor.read()
  } catch {
    // What holds no value yet keeps the last value that it held.
  }
  const isBegun =
    comment.value !== "" || (output !== undefined && JSON.stringify(output) !== JSON.stringify(item.proposed))
  memory.draft = isBegun
    ? { item: item.id, revision: item.revision, output, comment: comment.value, isEditing: mode === "edit" }
    : undefined
  remember(task.task, memory)
}

/**
 * Who reviews, as the person says; where another name is nearly the same, whether that is them.
 * @param {string | undefined} known
 */
async function askWho(known) {
  const name = await askName(known)
  const { alike } = await insist(() => call("alike", { reviewer: name }), tell)
  return alike === undefined ? name : askWhether(name, alike)
}

async function changeName() {
  const name = await askWho(reviewer)
  if (name !== reviewer) memory.steps = []
  reviewer = name
  drawName()
  await next(memory.item)
}

function drawName() {
  if (task.reviewer === undefined) rememberName(reviewer)
  showName(reviewer, task.reviewer !== undefined)
}

/**
 * What is to be known before going on, at the top. What was said of the last answer is stale by then.
 * @param {string | undefined} message
 */
function tell(message) {
  if (message !== undefined) say("")
  tellAtTop(message)
}

/** @param {string} words */
function say(words) {
  said.textContent = words
}

function who() {
  return { reviewer, page: memory.page }
}
