/**
 * One set of hashes, made ready to be compared with many. Precision is exact: the similarity is computed, not
 * estimated.
 */
export class MarkedSet {
  /** The hashes, in open addressing; zero is empty. */
  #marks = new Int32Array(16)
  #mask = 15
  #size = 0

  /** From now on the set is that of the hashes that begin there: distinct, none zero. */
  mark(numbers: Int32Array, from: number, size: number): void {
    let slots = 16
    while (slots < 2 * size) slots *= 2
    if (this.#marks.length < slots) this.#marks = new Int32Array(slots)
    else this.#marks.fill(0, 0, slots)
    const mask = slots - 1
    const marks = this.#marks
    for (let index = from; index < from + size; index += 1) {
      const hash = numbers[index] as number
      let slot = hash & mask
      while (marks[slot] !== 0) slot = (slot + 1) & mask
      marks[slot] = hash
    }
    this.#mask = mask
    this.#size = size
  }

  /**
   * The Jaccard similarity to the set that begins there: shared over all; zero as soon as the threshold is out of
   * reach.
   */
  similarity(numbers: Int32Array, from: number, size: number, threshold: number): number {
    const marks = this.#marks
    const mask = this.#mask
    // So many of its hashes may be no shared ones before the threshold is out of reach; one to spare for rounding.
    const mostMissing = size - Math.floor((threshold * (this.#size + size)) / (1 + threshold)) + 1
    let missing = 0
    for (let index = from; index < from + size; index += 1) {
      const hash = numbers[index] as number
      let slot = hash & mask
      let mark = marks[slot] as number
      while (mark !== 0 && mark !== hash) {
        slot = (slot + 1) & mask
        mark = marks[slot] as number
      }
      if (mark === 0 && ++missing > mostMissing) return 0
    }
    const shared = size - missing
    return shared / (this.#size + size - shared)
  }
}
