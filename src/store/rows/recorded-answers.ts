import { existsSync } from "node:fs"
import { join } from "node:path"
import { DataError } from "../../core/errors.ts"
import type { Example } from "../../core/rows/example.ts"
import {
  inputDigest,
  recordedAnswerSchema,
  type RecordedAnswer,
  type RecordingTerms,
} from "../../core/rows/recorded-answer.ts"
import { appendAtomically, toJsonLines } from "../files/files.ts"
import { withLock } from "../files/lock.ts"
import type { Workspace } from "../workspace.ts"
import { RowLines } from "./row-lines.ts"

/**
 * The recorded answers of a task under a name: a file that is appended to, and never changed otherwise but by an
 * erasure. Of two lines about the same row and input the first with a text counts.
 */
export class Recording {
  readonly name: string
  readonly file: string
  private readonly workspace: Workspace
  private readonly task: string
  private readonly reader: RowLines

  constructor(workspace: Workspace, task: string, name: string) {
    this.workspace = workspace
    this.task = task
    this.name = name
    this.file = join(workspace.taskFolder(task), "recorded", `${name}.jsonl`)
    this.reader = new RowLines(workspace, workspace.taskFolder(task))
  }

  /** The file as a person in the workspace would write it. */
  get place(): string {
    return this.workspace.show(this.file)
  }

  /**
   * What its lines have in common; undefined while there is none. A DataError where they differ, as when two branches
   * recorded different models under one name.
   */
  terms(): RecordingTerms | undefined {
    let first: RecordingTerms | undefined
    for (const line of this.lines()) {
      const { model, baseUrl, prompt, maxTokens } = line
      first ??= { model, baseUrl, prompt, maxTokens }
      const differing = termNames.filter((name) => line[name] !== first?.[name])
      if (differing.length > 0)
        throw new DataError(
          `${this.place} holds more than one recording: its lines differ in ${differing.join(" and ")}`,
          [],
          "Move the lines of one of them into a file of another name.",
        )
    }
    return first
  }

  /** The answer to each of the rows that has one. */
  answersTo(rows: Iterable<Pick<Example, "id" | "input">>): Map<string, RecordedAnswer> {
    const wanted = new Map(Array.from(rows, ({ id, input }) => [id, inputDigest(input)]))
    const found = new Map<string, RecordedAnswer>()
    for (const line of this.lines())
      if (wanted.get(line.id) === line.inputDigest && isMore(line, found.get(line.id))) found.set(line.id, line)
    return found
  }

  /** Appends the lines that say what is not there yet, all or none; returns how many. */
  add(answers: readonly RecordedAnswer[]): number {
    return withLock(this.workspace.lockFile(this.task), this.place, () => {
      const erased = this.reader.erased()
      const known = new Map<string, RecordedAnswer>()
      for (const line of this.lines()) if (isMore(line, known.get(keyOf(line)))) known.set(keyOf(line), line)
      const isNew = (answer: RecordedAnswer) => isMore(answer, known.get(keyOf(answer)))
      const added = answers.filter((answer) => erased.of(answer) === undefined && isNew(answer))
      if (added.length > 0) appendAtomically(this.file, toJsonLines(added))
      return added.length
    })
  }

  exists(): boolean {
    return existsSync(this.file)
  }

  private *lines(): Generator<RecordedAnswer> {
    const erased = this.reader.erased()
    for (const line of this.reader.lines(this.file, recordedAnswerSchema))
      if (erased.isEmpty || erased.of(line) === undefined) yield line
  }
}

/** Whether the line says something of which the one before says nothing. */
function isMore(line: RecordedAnswer, before: RecordedAnswer | undefined): boolean {
  return before === undefined || (before.output.trim() === "" && line.output.trim() !== "")
}

/** The keys of `RecordingTerms`. */
export const termNames = ["model", "baseUrl", "prompt", "maxTokens"] as const

function keyOf({ id, inputDigest: digest }: RecordedAnswer): string {
  return `${id} ${digest}`
}
