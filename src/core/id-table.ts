/**
 * Ids of 64 bits, numbered from zero in the order in which they are added. Open addressing, at most half full. Memory
 * an id: 16 to 32 bytes.
 */
export class IdTable {
  size = 0
  /** The ids, two numbers each. */
  #ids = new Int32Array(2 * 512)
  /** Numbers of ids plus one; zero is empty. */
  #slots = new Int32Array(1024)

  /** False where the id was there before: then it has the number that it had. */
  add(high: number, low: number): boolean {
    const slot = this.#slotOf(high, low)
    if (this.#slots[slot] !== 0) return false
    this.#ids[2 * this.size] = high
    this.#ids[2 * this.size + 1] = low
    this.#slots[slot] = ++this.size
    if (2 * this.size === this.#slots.length) this.#grow()
    return true
  }

  /** The number of the id, or below zero. */
  find(high: number, low: number): number {
    return (this.#slots[this.#slotOf(high, low)] as number) - 1
  }

  /** The hex digits of the id with the number. */
  digits(number: number): string {
    return digitsOf(this.#ids[2 * number] as number, this.#ids[2 * number + 1] as number)
  }

  /** The first half of the id with the number, without a sign. */
  high(number: number): number {
    return (this.#ids[2 * number] as number) >>> 0
  }

  /**
   * Below, at or above zero as the digits of the first number come before, are equal to or come after those of the
   * second.
   */
  compare(a: number, b: number): number {
    return (
      this.high(a) - this.high(b) || ((this.#ids[2 * a + 1] as number) >>> 0) - ((this.#ids[2 * b + 1] as number) >>> 0)
    )
  }

  #slotOf(high: number, low: number): number {
    const [ids, slots] = [this.#ids, this.#slots]
    const mask = slots.length - 1
    let slot = low & mask
    for (let entry = slots[slot] as number; entry !== 0; entry = slots[slot] as number) {
      if (ids[2 * entry - 2] === high && ids[2 * entry - 1] === low) break
      slot = (slot + 1) & mask
    }
    return slot
  }

  #grow(): void {
    const ids = new Int32Array(2 * this.#ids.length)
    ids.set(this.#ids)
    this.#ids = ids
    this.#slots = new Int32Array(2 * this.#slots.length)
    for (let number = 0; number < this.size; number += 1)
      this.#slots[this.#slotOf(ids[2 * number] as number, ids[2 * number + 1] as number)] = number + 1
  }
}

/**
 * The number of 32 bits, without a sign, that eight hex digits in lower case are; below zero for other bytes, or where
 * there are fewer.
 */
export function hexAt(bytes: Uint8Array, at: number): number {
  let number = 0
  for (let index = at; index < at + 8; index += 1) {
    const value = hexValues[bytes[index] as number]
    if (value === undefined || value < 0) return -1
    number = (number << 4) | value
  }
  return number >>> 0
}

const hexValues = Int8Array.from({ length: 256 }, (_, byte) => "0123456789abcdef".indexOf(String.fromCharCode(byte)))

/** The 64 bits that the last 16 hex digits of an id are, as two signed numbers. */
export function bitsOf(id: string): [high: number, low: number] {
  return [Number.parseInt(id.slice(-16, -8), 16) | 0, Number.parseInt(id.slice(-8), 16) | 0]
}

/** The 16 hex digits of the 64 bits. */
export function digitsOf(high: number, low: number): string {
  return hexOf(high) + hexOf(low)
}

function hexOf(number: number): string {
  const [first, second, third, last] = [number >>> 24, number >>> 16, number >>> 8, number]
  return (hexBytes[first & 255] as string) + hexBytes[second & 255] + hexBytes[third & 255] + hexBytes[last & 255]
}

const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))
