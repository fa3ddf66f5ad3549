/** Numbers of 32 bits without a sign, in the order in which they are added. Memory: 4 to 8 bytes a number. */
export class NumberList {
  length = 0
  #numbers = new Uint32Array(1024)

  add(number: number): void {
    if (this.length === this.#numbers.length) {
      const longer = new Uint32Array(2 * this.length)
      longer.set(this.#numbers)
      this.#numbers = longer
    }
    this.#numbers[this.length++] = number
  }

  /** Where they lie; of no use once more are added. */
  values(): Uint32Array<ArrayBuffer> {
    return this.#numbers.subarray(0, this.length)
  }
}
