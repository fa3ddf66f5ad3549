/** What a step of a build took, by the row that it looked at. */
export interface StepCost {
  readonly seconds: number
  readonly rows: number
  readonly microsecondsPerRow: number
}

/**
 * The core of a build (read, normalise, validate, deduplicate, decontaminate, freeze) and each check that the
 * specification may switch off or leave out. Of a check that ran in several threads the seconds are those of all of
 * them; of the core they are what is left of the time that passed.
 */
export interface BuildCosts {
  readonly core: StepCost
  readonly checks: Readonly<Record<string, StepCost>>
}

/** What a check took. */
export interface CheckTime {
  readonly name: string
  readonly milliseconds: number
  readonly rows: number
}

/** Adds up what the steps of a build take, by a clock that only goes forward. */
export class CostMeter {
  readonly #monotonicMs: () => number
  readonly #started: number
  readonly #checks = new Map<string, { milliseconds: number; rows: number }>()
  /** How long checks held up the core. */
  #checkedMs = 0

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs
    this.#started = monotonicMs()
  }

  /** Does the work of a check on so many rows. */
  check<Result>(name: string, rows: number, work: () => Result): Result {
    const started = this.#monotonicMs()
    const result = work()
    const milliseconds = this.#monotonicMs() - started
    this.#add({ name, milliseconds, rows })
    this.#checkedMs += milliseconds
    return result
  }

  /** Waits for the work of a check on so many rows; its seconds are those that pass, whoever works. */
  async wait<Result>(name: string, rows: number, work: () => Promise<Result>): Promise<Result> {
    const started = this.#monotonicMs()
    const result = await work()
    const milliseconds = this.#monotonicMs() - started
    this.#add({ name, milliseconds, rows })
    this.#checkedMs += milliseconds
    return result
  }

  /** Adds what checks took in one of so many threads that worked side by side. */
  addThread(times: readonly CheckTime[], threads: number): void {
    for (const time of times) {
      this.#add(time)
      this.#checkedMs += time.milliseconds / threads
    }
  }

  times(): CheckTime[] {
    return Array.from(this.#checks, ([name, time]) => ({ name, ...time }))
  }

  /** All that was no check is the core, of so many rows. */
  costs(rows: number): BuildCosts {
    return {
      core: costOf(this.#monotonicMs() - this.#started - this.#checkedMs, rows),
      checks: Object.fromEntries(
        this.times().map(({ name, milliseconds, rows: seen }) => [name, costOf(milliseconds, seen)]),
      ),
    }
  }

  #add({ name, milliseconds, rows }: CheckTime): void {
    const known = this.#checks.get(name) ?? { milliseconds: 0, rows: 0 }
    this.#checks.set(name, { milliseconds: known.milliseconds + milliseconds, rows: known.rows + rows })
  }
}

/** `core 14.2 µs a row, personal-data 8.1, …` */
export function describeCosts({ core, checks }: BuildCosts): string {
  const parts = Object.entries(checks).map(([name, { microsecondsPerRow }]) => `${name} ${microsecondsPerRow}`)
  return [`core ${core.microsecondsPerRow} µs a row`, ...parts].join(", ")
}

function costOf(milliseconds: number, rows: number): StepCost {
  const seconds = Number((milliseconds / 1000).toFixed(3))
  return { seconds, rows, microsecondsPerRow: rows === 0 ? 0 : Number(((milliseconds * 1000) / rows).toFixed(1)) }
}
