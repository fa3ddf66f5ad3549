import type { RowPart } from "../../curation/rows/row-sketcher.ts"

/** How many batches may be under way at once, and the room of each: all the memory that the threads share. */
export const ringSlots = 8
export const slotNumbers = 1 << 20

/** A part of a batch, and where the batch's lines end once it is the last part. */
export interface BatchPart extends RowPart {
  readonly lines: number
}

/**
 * Hands batches from many threads to one, in order, through shared memory: each batch has a slot, which is used again
 * by the batch `ringSlots` later. A batch that is larger than its slot goes through in parts.
 */
export class BatchRing {
  readonly memory: SharedArrayBuffer
  readonly #numbers: Int32Array
  readonly #control: Int32Array<SharedArrayBuffer>

  constructor(memory = new SharedArrayBuffer(4 * (controlNumbers + ringSlots * slotNumbers))) {
    this.memory = memory
    this.#control = new Int32Array(memory, 0, controlNumbers)
    this.#numbers = new Int32Array(memory, 4 * controlNumbers)
  }

  /** Before any thread starts. */
  prepare(): void {
    for (let slot = 0; slot < ringSlots; slot += 1) this.#control[at(slot, turn)] = slot
  }

  /** The next batch that nobody has, below the limit; -1 when there is none. */
  claim(limit: number): number {
    for (;;) {
      const batch = Atomics.load(this.#control, 0)
      if (batch >= limit) return -1
      if (Atomics.compareExchange(this.#control, 0, batch, batch + 1) === batch) return batch
    }
  }

  /**
   * The reader may take the part from now on. Waits until the slot is free and, after a part that is not the last,
   * until it has been taken.
   */
  publish(batch: number, { numbers, rows }: RowPart, isLast: boolean, lines: number): void {
    const slot = batch % ringSlots
    const place = at(slot, turn)
    for (let now = Atomics.load(this.#control, place); now !== batch; now = Atomics.load(this.#control, place))
      Atomics.wait(this.#control, place, now)
    this.#numbers.set(numbers, slot * slotNumbers)
    this.#control[at(slot, lengths)] = numbers.length
    this.#control[at(slot, rowCounts)] = rows
    this.#control[at(slot, lineCounts)] = lines
    const state = isLast ? lastPart : onePart
    Atomics.store(this.#control, at(slot, states), state)
    Atomics.notify(this.#control, at(slot, states))
    if (!isLast) Atomics.wait(this.#control, at(slot, states), state)
  }

  /** The part that is ready, or undefined. */
  ready(batch: number): (BatchPart & { readonly isLast: boolean }) | undefined {
    const slot = batch % ringSlots
    const state = Atomics.load(this.#control, at(slot, states))
    if (state === empty) return undefined
    const start = slot * slotNumbers
    return {
      numbers: this.#numbers.subarray(start, start + (this.#control[at(slot, lengths)] as number)),
      rows: this.#control[at(slot, rowCounts)] as number,
      lines: this.#control[at(slot, lineCounts)] as number,
      isLast: state === lastPart,
    }
  }

  /** The part has been read. */
  free(batch: number, isLast: boolean): void {
    const slot = batch % ringSlots
    Atomics.store(this.#control, at(slot, states), empty)
    Atomics.notify(this.#control, at(slot, states))
    if (!isLast) return
    Atomics.store(this.#control, at(slot, turn), batch + ringSlots)
    Atomics.notify(this.#control, at(slot, turn))
  }

  /** Resolves when a part of the batch is ready, or now and then. */
  async untilReady(batch: number): Promise<void> {
    await Atomics.waitAsync(this.#control, at(batch % ringSlots, states), empty, lookAgainMs).value
  }
}

const lookAgainMs = 500
const empty = 0
const onePart = 1
const lastPart = 2

// The next batch; then for each slot its batch, state and counts, on cache lines of their own.
const slotControl = 16
const controlNumbers = slotControl * (ringSlots + 1)
const [turn, states, lengths, rowCounts, lineCounts] = [0, 1, 2, 3, 4] as const

function at(slot: number, what: number): number {
  return slotControl * (slot + 1) + what
}
