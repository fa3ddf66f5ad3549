import { join } from "node:path"
import { erasedMeanwhile } from "../../core/rows/erasure.ts"
import { stampOf } from "../files/files.ts"
import { withLock } from "../files/lock.ts"
import type { Workspace } from "../workspace.ts"
import { tombstonesFile } from "../rows/erasures.ts"

/**
 * What a command knows of a task's erasures and labels since it began to read the rows: nothing is written of rows that
 * were erased meanwhile.
 */
export class TaskWatch {
  readonly #workspace: Workspace
  readonly #task: string
  readonly #stamp: string

  constructor(workspace: Workspace, task: string) {
    this.#workspace = workspace
    this.#task = task
    this.#stamp = this.#now()
  }

  /** Whether rows were erased since, or labels changed; an erasure that is at work is waited for. */
  hasChanged(): boolean {
    return this.#locked(() => this.#now() !== this.#stamp)
  }

  /** The work is done while nobody else writes the task, and throws where rows were erased since, or labels changed. */
  commit<Result>(work: () => Result): Result {
    return this.#locked(() => {
      if (this.#now() !== this.#stamp) throw erasedMeanwhile(this.#task)
      return work()
    })
  }

  #locked<Result>(work: () => Result): Result {
    return withLock(this.#workspace.lockFile(this.#task), `the rows of ${this.#task}`, work)
  }

  #now(): string {
    const folder = this.#workspace.taskFolder(this.#task)
    return [tombstonesFile(folder), join(folder, "migrations.jsonl")].map(stampOf).join("\n")
  }
}
