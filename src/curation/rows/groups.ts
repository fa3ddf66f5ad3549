/** Disjoint sets of numbers from zero on (Tarjan 1975). */
export class Groups {
  readonly #parents: Uint32Array<ArrayBuffer>

  constructor(count: number) {
    this.#parents = new Uint32Array(count)
    for (let number = 0; number < count; number += 1) this.#parents[number] = number
  }

  /** The least number of the group. */
  of(number: number): number {
    const parents = this.#parents
    let at = number
    while (parents[at] !== at) {
      const next = parents[parents[at] as number] as number
      parents[at] = next
      at = next
    }
    return at
  }

  join(a: number, b: number): void {
    const [first, second] = [this.of(a), this.of(b)]
    if (first !== second) this.#parents[Math.max(first, second)] = Math.min(first, second)
  }

  /** For each number the least one of its group; nothing may be joined any more. */
  roots(): Uint32Array<ArrayBuffer> {
    for (let number = 0; number < this.#parents.length; number += 1) this.#parents[number] = this.of(number)
    return this.#parents
  }
}
