/** What a step of a build took, by the row that it looked at. */
export interface StepCost {
  readonly seconds: number
  readonly rows: number
  readonly microsecondsPerRow: number
}

/** The core of a build (read, normalise, validate, deduplicate, decontaminate, freeze) and each check that the specification may switch off or leave out. */
export interface BuildCosts {
  readonly core: StepCost
  readonly checks: Readonly<Record<string, StepCost>>
}

/** Adds up what the steps of a build take, by a clock that only goes forward. */
export class CostMeter {
  readonly #monotonicMs: () => number
  readonly #started: number
  readonly #checks = new Map<string, { milliseconds: number; rows: number }>()

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs
    this.#started = monotonicMs()
  }

  /** Does the work of a check on so many rows. */
  check<Result>(name: string, rows: number, work: () => Result): Result {
    const started = this.#monotonicMs()
    const result = work()
    const known = this.#checks.get(name) ?? { milliseconds: 0, rows: 0 }
    this.#checks.set(name, { milliseconds: known.milliseconds + this.#monotonicMs() - started, rows: known.rows + rows })
    return result
  }

  /** All that was no check is the core, of so many rows. */
  costs(rows: number): BuildCosts {
    const checked = [...this.#checks.values()].reduce((sum, { milliseconds }) => sum + milliseconds, 0)
    return {
      core: costOf(this.#monotonicMs() - this.#started - checked, rows),
      checks: Object.fromEntries([...this.#checks].map(([name, { milliseconds, rows: seen }]) => [name, costOf(milliseconds, seen)])),
    }
  }
}

/** `core 14.2 µs a row, personal-data 8.1 µs, …` */
export function describeCosts({ core, checks }: BuildCosts): string {
  const parts = Object.entries(checks).map(([name, { microsecondsPerRow }]) => `${name} ${microsecondsPerRow}`)
  return [`core ${core.microsecondsPerRow} µs a row`, ...parts].join(", ")
}

function costOf(milliseconds: number, rows: number): StepCost {
  const seconds = Number((milliseconds / 1000).toFixed(3))
  return { seconds, rows, microsecondsPerRow: rows === 0 ? 0 : Number(((milliseconds * 1000) / rows).toFixed(1)) }
}
