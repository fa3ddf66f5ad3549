// Data sets for bench/build.ts: rows of about 1 kB with planted copies, the same for the same seed.
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { chatRows, writeLines } from "./near-duplicate-corpus.ts"

/** `prompted` are rows with a label over one prompt of 45 words; `short` are rows of about 12 words with a label. */
export type SetKind = "label" | "text" | "prompted" | "short"

const labels = Array.from({ length: 12 }, (_, number) => `kind-${number}`)

/**
 * A workspace with one task, `made`, and the file of its rows, which is not imported yet. Of the texts 35 in 100 are
 * copies of others, one in five has numbers as orders and prices have them, and one in a hundred an e-mail address.
 * That share of the rows says that it is for the test; 0: the specification decides.
 */
export function makeWorkspace(folder: string, kind: SetKind, rows: number, testShare = 0): string {
  mkdirSync(join(folder, "specs"), { recursive: true })
  writeFileSync(join(folder, "tuneloop.yaml"), "")
  writeFileSync(join(folder, "specs", "made.yaml"), specification(kind))
  const file = join(folder, "rows.jsonl")
  writeLines(file, splitRows(madeRows(kind, rows), testShare))
  return file
}

function* splitRows(rows: Iterable<object>, testShare: number): Generator<unknown> {
  let number = 0
  for (const row of rows) {
    const isTest = Math.floor((number + 1) * testShare) > Math.floor(number * testShare)
    number += 1
    yield testShare === 0 ? row : { ...row, split: isTest ? "test" : "train" }
  }
}

function* madeRows(kind: SetKind, rows: number): Generator<object> {
  let number = 0
  for (const { messages } of chatRows(kind === "short" ? "short" : "long", rows)) {
    const [, user, assistant] = messages
    const text = `${kind === "prompted" ? `${prompt}. ` : ""}${user.content}${tail(number++)}`
    // The answer ends with the number of what it was copied from: copies agree.
    const source = Number(/(\d+)\.$/.exec(assistant.content)?.[1])
    yield kind === "text"
      ? { text, answer: `${assistant.content} ${text.slice(0, 200)}` }
      : { text, label: labels[source % labels.length] }
  }
}

const prompt = Array.from({ length: 45 }, (_, number) => `prompt${(number * 7919) % 1000}`).join(" ")

function tail(number: number): string {
  if (number % 100 === 7) return ` Write to customer.${number}@example.org.`
  return number % 5 === 3
    ? ` Order ${100_000 + number} of 2026-0${1 + (number % 9)}-1${number % 10}, ` +
        `${number % 90}.${10 + (number % 90)} EUR.`
    : ""
}

function specification(kind: SetKind): string {
  const output =
    kind === "text" ? "  maxLength: 2000\n" : `  labels:\n${labels.map((label) => `    ${label}: made up\n`).join("")}`
  return (
    `task: made\nkind: ${kind === "text" ? "text" : "label"}\ndescription: Made-up rows.\ninput:\n  text:\n ` +
    `   description: the text\noutput:\n${output}`
  )
}
