import { bucketsCode } from "./buckets-code.ts"
import { instantiate } from "./web-assembly.ts"

/** How many numbers a header has: place, number of hashes, and the bit sketch. */
export const headerNumbers = 8

/**
 * The places that share a band key, as lists: a question reads a list from one end to the other, 32 bytes a place, and
 * leaves out at once what cannot be near. A linked list of places instead would cost three accesses to memory at random
 * for each.
 *
 * Memory: 32 bytes a header, in blocks of powers of two.
 */
export class Buckets {
  /** The places that the last scan found. */
  found = new Int32Array()
  readonly #arenas: Arena[] = []
  readonly #arenaBytes: number

  /** Up to 16 memories of so many bytes are used, one after another. */
  constructor(arenaBytes = mostArenaBytes) {
    this.#arenaBytes = arenaBytes
  }

  get bytes(): number {
    return this.#arenas.reduce((sum, { code }) => sum + code.used(), 0)
  }

  /** A list, below zero, of the one header that begins there. */
  start(headers: Int32Array, at: number): number {
    let arena = this.#arenas.at(-1)
    let block = arena?.code.make(1) ?? 0
    if (arena === undefined || block === 0) {
      arena = this.#open()
      block = arena.code.make(1)
    }
    return this.#add(arena, block, headers, at)
  }

  /** Adds the header that begins there; the answer is the list from now on. */
  add(list: number, headers: Int32Array, at: number): number {
    return this.#add(this.#arenas[arenaOf(list)] as Arena, blockOf(list), headers, at)
  }

  /** From now on scans are for the set of the header. */
  ask(header: Int32Array): void {
    for (const arena of this.#arenas) arena.ask(header)
  }

  /**
   * Finds places of the list that may be at the threshold with the set asked about, from the place `from` of the list
   * on, and leaves out those that surely are not. The answer is how many were found.
   */
  scan(list: number, from: number, threshold: number): number {
    const arena = this.#arenas[arenaOf(list)] as Arena
    this.found = arena.found
    return arena.code.scan(blockOf(list), from, threshold)
  }

  /** Where the last scan of the list stopped, for the next to go on; 0 at its end. */
  stopped(list: number): number {
    return (this.#arenas[arenaOf(list)] as Arena).code.stopped()
  }

  #add(arena: Arena, block: number, headers: Int32Array, at: number): number {
    arena.write(headers, at)
    let [home, place] = [arena, arena.code.add(block)]
    if (place === 0) {
      // The list has outgrown what is left of its memory.
      home = this.#arenas.at(-1) as Arena
      place = home.take(arena, block)
      if (place === 0) {
        home = this.#open()
        place = home.take(arena, block)
      }
      home.write(headers, at)
      place = home.code.add(place)
    }
    home.renew()
    return -1 - ((place >>> 5) * mostArenas + this.#arenas.indexOf(home))
  }

  #open(): Arena {
    if (this.#arenas.length === mostArenas)
      throw new RangeError("the lists of texts that share band keys take more than 16 GiB")
    const arena = new Arena(this.#arenaBytes)
    this.#arenas.push(arena)
    return arena
  }
}

// So that the number of a block, with that of its memory, is a number of 32 bits.
const mostArenas = 16
const mostArenaBytes = 2 ** 30

function arenaOf(list: number): number {
  return (-1 - list) % mostArenas
}

function blockOf(list: number): number {
  return Math.floor((-1 - list) / mostArenas) << 5
}

interface Code {
  readonly memory: { readonly buffer: ArrayBuffer }
  limit(bytes: number): void
  used(): number
  make(power: number): number
  add(list: number): number
  release(list: number): void
  scan(list: number, from: number, threshold: number): number
  stopped(): number
  headerAt(): number
  askedAt(): number
  foundAt(): number
}

const listHeaderNumbers = 8
const foundNumbers = 16

/** A memory of lists. */
class Arena {
  readonly code = instantiate<Code>(bucketsCode)
  readonly #header = this.code.headerAt() >> 2
  readonly #asked = this.code.askedAt() >> 2
  #numbers = new Int32Array(this.code.memory.buffer)
  found = this.#foundNow()

  constructor(mostBytes: number) {
    this.code.limit(mostBytes)
  }

  ask(header: Int32Array): void {
    for (let index = 0; index < headerNumbers; index += 1) this.#numbers[this.#asked + index] = header[index] as number
  }

  /** What is added next. */
  write(headers: Int32Array, at: number): void {
    this.renew()
    for (let index = 0; index < headerNumbers; index += 1)
      this.#numbers[this.#header + index] = headers[at + index] as number
  }

  /** After the memory may have grown. */
  renew(): void {
    if (this.#numbers.buffer === this.code.memory.buffer) return
    this.#numbers = new Int32Array(this.code.memory.buffer)
    this.found = this.#foundNow()
  }

  /** A list like that of another memory, with room for more; 0 where there is none. */
  take(other: Arena, list: number): number {
    const count = other.#numbers[list >> 2] as number
    const block = this.code.make(Math.ceil(Math.log2(count + 1)))
    if (block === 0) return 0
    this.renew()
    this.#numbers.set(
      other.#numbers.subarray((list >> 2) + listHeaderNumbers, (list >> 2) + listHeaderNumbers + headerNumbers * count),
      (block >> 2) + listHeaderNumbers,
    )
    this.#numbers[block >> 2] = count
    other.code.release(list)
    return block
  }

  #foundNow(): Int32Array<ArrayBuffer> {
    return this.#numbers.subarray(this.code.foundAt() >> 2, (this.code.foundAt() >> 2) + foundNumbers)
  }
}
