import { turnFields } from "../../core/rows/turns.ts"

/** Which fields of a row are compared, in which duplicates must agree, and which tell nothing of either. */
export interface ComparedFields {
  /** Dotted paths; their texts are joined. */
  readonly text: readonly string[]
  readonly output: readonly string[]
  readonly ignored: readonly string[]
  /** What a field is that no row of the sample had, and whose name nobody knows. */
  readonly others: "output" | "ignored"
}

/** What people name themselves: a field of the text, and one of the output; none is `[]`. */
export interface NamedFields {
  readonly field: string | undefined
  readonly outputFields: readonly string[] | undefined
}

/** Names of inputs, in the order in which their texts are joined. */
const inputNames: readonly string[] = [
  ...turnFields,
  ...["instruction", "prompt", "question", "query", "text", "input", "inputs", "context"],
  ...["sentence", "sentence1", "sentence2", "premise", "hypothesis", "title", "passage", "document", "history"],
]
const outputNames: readonly string[] = [
  ...["output", "outputs", "completion", "response", "answer", "answers", "target", "label", "labels", "label_text"],
  ...["category", "categories", "class", "intent", "sentiment", "topic", "summary", "tools", "chosen", "rejected"],
]
/** Names of what says where a row came from, and not what it is. */
const otherNames: readonly string[] = [
  ...[
    "",
    "id",
    "idx",
    "index",
    "key",
    "row",
    "line",
    "number",
    "uuid",
    "guid",
    "hash",
    "weight",
    "score",
    "confidence",
  ],
  ...["source", "origin", "split", "url", "link", "file", "filename", "path", "meta", "metadata", "note", "notes"],
  ...["comment", "comments", "author", "user", "username", "annotator", "reviewer", "system", "personaldata"],
  ...["date", "time", "timestamp", "created", "updated"],
]
const otherEnding = /_(id|uuid|at|date|time|timestamp|url)$|^_|^unnamed/

/**
 * What the fields of a file's rows are, by their names and by a sample of the rows. A field that nobody knows is
 * compared where it holds texts beside a known output, tells nothing where its words are another in nearly every row
 * (an id), and otherwise is one in which duplicates must agree: of two rows that differ in what is not understood
 * neither is dropped.
 */
export function comparedFields(
  rows: readonly Readonly<Record<string, unknown>>[],
  { field, outputFields }: NamedFields,
): ComparedFields {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const rootOf = (path: string) => (names.includes(path) ? path : (path.split(".")[0] as string))
  const named = new Set([...(field === undefined ? [] : [field]), ...(outputFields ?? [])].map(rootOf))
  const free = names.filter((name) => !named.has(name))
  const inputsIn = (found: readonly string[]) =>
    inputNames.flatMap((known) => found.filter((name) => name.toLowerCase() === known))
  const knownInputs = field === undefined ? inputsIn(free) : []
  const isPair = field === undefined && knownInputs.length === 0 && free.includes("chosen")
  const text = field !== undefined ? [field] : isPair ? ["chosen"] : knownInputs
  // Without any the rows say one by one that they have none.
  if (text.length === 0) return { text: inputNames, output: [], ignored: [], others: "ignored" }
  const isOutput = (name: string) => isNamed(name, outputNames) && !text.includes(name)
  const knownOutputs = outputFields ?? free.filter(isOutput)
  const others = outputFields !== undefined || (field !== undefined && knownOutputs.length > 0) ? "ignored" : "output"
  const [texts, output, ignored] = [[...text], [...knownOutputs], [] as string[]]
  for (const name of free) {
    if (texts.includes(name) || output.includes(name)) continue
    const isKnown = isOther(name) || isNamed(name, inputNames) || isOutput(name)
    const looks = isKnown ? "other" : looksLike(rows.map((row) => row[name]))
    if (looks === "text" && field === undefined && knownOutputs.length > 0) texts.push(name)
    else if (looks === "other" || others === "ignored") ignored.push(name)
    else output.push(name)
  }
  return { text: texts, output, ignored, others }
}

/** Where a field belongs that no row of the sample had. */
export function roleOfNew(name: string, { others, text }: ComparedFields): "text" | "output" | "ignored" {
  if (isNamed(name, outputNames)) return others
  if (isNamed(name, inputNames)) return text.some((each) => isNamed(each, inputNames)) ? "text" : "ignored"
  return isOther(name) ? "ignored" : others
}

function isNamed(name: string, known: readonly string[]): boolean {
  return known.includes(name.toLowerCase())
}

function isOther(name: string): boolean {
  return isNamed(name, otherNames) || otherEnding.test(name.toLowerCase())
}

const leastToTell = 20

/** What a field of an unknown name holds: texts, something of its own for nearly every row, or one of some words. */
function looksLike(values: readonly unknown[]): "text" | "other" | "word" {
  const there = values.filter((value) => value !== undefined && value !== null && value !== "")
  const isText = (value: unknown) => typeof value === "string" && /\S\s+\S+\s+\S/.test(value)
  if (there.filter(isText).length > there.length / 2) return "text"
  if (there.length < leastToTell) return "word"
  const isWord = (value: unknown) => typeof value !== "object" && !/\s/.test(String(value).trim())
  const distinct = new Set(there.map((value) => JSON.stringify(value))).size
  return there.filter(isWord).length >= 0.9 * there.length && distinct >= 0.9 * there.length ? "other" : "word"
}
