import type { Verdict } from "../../curation/near/keeper.ts"
import { AtomicWriter } from "../../store/files/atomic-writer.ts"

/** Where what came of the rows is written, as far as somebody wants it. */
export interface DecisionPaths {
  /** A line for each row that is dropped. */
  readonly dropped: string | undefined
  /** A line for each row that is dropped or a conflict. */
  readonly report: string | undefined
}

/** The files of what came of the rows: both appear whole on `commit`, or not at all. */
export class DecisionFiles {
  readonly #dropped: AtomicWriter | undefined
  readonly #report: AtomicWriter | undefined

  constructor({ dropped, report }: DecisionPaths) {
    this.#dropped = dropped === undefined ? undefined : new AtomicWriter(dropped)
    try {
      this.#report = report === undefined ? undefined : new AtomicWriter(report)
    } catch (error) {
      this.#dropped?.abandon()
      throw error
    }
  }

  /** Notes the decision on the row of a line, which is not merely kept. */
  note(line: number, { isKept, reason, witness, similarity }: Verdict): void {
    const rounded = Math.round(similarity * 10_000) / 10_000
    const found = `"reason":"${reason}","witnessLine":${witness},"similarity":${rounded}}\n`
    this.#report?.write(`{"line":${line},"kept":${isKept},${found}`)
    if (!isKept) this.#dropped?.write(`{"line":${line},${found}`)
  }

  commit(): void {
    // What may fail is done before the first of them is there.
    this.#dropped?.stage()
    this.#report?.stage()
    this.#dropped?.commit()
    this.#report?.commit()
  }

  /** Nothing is left of what is not committed. */
  abandon(): void {
    this.#dropped?.abandon()
    this.#report?.abandon()
  }
}
