/** @typedef {import("../review-wire.ts").TaskView} TaskView */
/** @typedef {import("../review-wire.ts").ItemView} ItemView */

/**
 * Something that can be done now: a button at the bottom and its key. A quiet one does not answer; a hidden one has a
 * key only.
 * @typedef {{ key: string, text: string, press: () => void, isMain?: boolean, isQuiet?: boolean, isHidden?: boolean }}
 * Action
 *
 * @typedef {object} Deeds what the page does
 * @property {(choice: string, output?: unknown) => void} answer
 * @property {() => void} save the edit
 * @property {() => void} write puts the cursor into the editor
 * @property {() => void} findLabel
 * @property {(mode: "look" | "edit" | "reject") => void} turn
 * @property {() => void} comment
 * @property {() => void} skip
 * @property {() => void} undo
 * @property {() => void} look asks for an item again
 */

/**
 * What can be done with the item as the page stands, the answers first.
 * @param {TaskView} task
 * @param {ItemView | undefined} item
 * @param {{ mode: "look" | "edit" | "reject", chosen: ReadonlySet<string>, isBegun: boolean }} page `isBegun`: an edit
 * was begun before
 * @param {Deeds} deeds
 * @returns {Action[]}
 */
export function actionsOf(task, item, { mode, chosen, isBegun }, deeds) {
  const undo = { key: "U", text: "Undo", press: deeds.undo, isQuiet: true }
  if (item === undefined) return [undo, { key: "L", text: "Look again", press: deeds.look, isHidden: true }]
  if (mode === "reject") return [{ key: "Esc", text: "Back", press: () => deeds.turn("look") }]
  const turnDown = item.needsReason ? [{ key: "R", text: "Reject", press: () => deeds.turn("reject") }] : []
  const rest = [
    { key: "C", text: "Comment", press: deeds.comment, isQuiet: true },
    { key: "S", text: "Skip", press: deeds.skip, isQuiet: true },
    undo,
  ]
  if (mode === "edit")
    return [
      { key: "Ctrl Enter", text: "Save", press: deeds.save, isMain: true },
      { key: "E", text: "Write", press: deeds.write, isHidden: true },
      ...(hasOutput(item) ? [{ key: "Esc", text: "Close", press: () => deeds.turn("look") }] : []),
      ...turnDown,
      ...rest,
    ]
  const isChoosing = task.kind === "multilabel" && mayEdit(item)
  const isChanged = isChoosing && !isSameSet(chosen, labelsToBeginWith(item))
  const save = {
    key: "Enter",
    text: "Save these labels",
    press: () => deeds.answer("edit", inOrder(task, chosen)),
    isMain: true,
  }
  // That no label fits is said by a key of its own, never by having chosen nothing yet.
  const none = { key: "N", text: "No label fits", press: () => deeds.answer("edit", []) }
  const editing = hasLabels(task)
    ? ["E", "/"].map((key) => ({ key, text: "Choose a label", press: deeds.findLabel, isHidden: true }))
    : [{ key: "E", text: isBegun ? "Go on editing" : "Edit", press: () => deeds.turn("edit") }]
  return [
    ...(isChoosing && chosen.size > 0 && (isChanged || !hasOutput(item)) ? [save] : []),
    ...(isChoosing && chosen.size === 0 && task.mayBeEmpty ? [none] : []),
    // With labels changed, accepting what was proposed would be a slip.
    ...(isChanged && item.pair === undefined ? [] : answersTo(item, deeds)),
    ...(mayEdit(item) ? editing : []),
    ...turnDown,
    ...rest,
  ]
}

/**
 * @param {ItemView} item
 * @param {Deeds} deeds
 * @returns {Action[]}
 */
function answersTo(item, { answer }) {
  return item.buttons.map(({ key, text, choice, output, isMain }) => ({
    key,
    text,
    isMain,
    press: () => answer(choice, output),
  }))
}

/** @param {ItemView} item */
export function mayEdit(item) {
  return item.choices.includes("edit")
}

/** @param {TaskView} task */
export function hasLabels(task) {
  return task.kind === "label" || task.kind === "multilabel"
}

/** @param {ItemView} item */
export function hasOutput(item) {
  return item.proposed !== undefined && item.proposed !== null
}

/**
 * The labels that are chosen before anybody chose: the proposed ones; of two outputs, none.
 * @param {ItemView} item
 */
export function labelsToBeginWith(item) {
  return item.pair === undefined && item.answers === undefined ? asLabels(item.proposed) : []
}

/**
 * @param {unknown} output
 * @returns {string[]}
 */
export function asLabels(output) {
  return Array.isArray(output) ? output.map(String) : typeof output === "string" ? [output] : []
}

/**
 * @param {TaskView} task
 * @param {ReadonlySet<string>} chosen
 */
export function inOrder(task, chosen) {
  return task.labels.flatMap(({ name }) => (chosen.has(name) ? [name] : []))
}

/**
 * @param {ReadonlySet<string>} a
 * @param {readonly string[]} b
 */
function isSameSet(a, b) {
  return a.size === b.length && b.every((label) => a.has(label))
}
