import { joinHash, mixBits } from "../text/hashing.ts"

/**
 * Writes the hash of each run of so many units, in their order, and returns how many there are. Two runs are mistaken
 * for one another once in 4 billion.
 */
export function windowHashes(units: Int32Array, count: number, length: number, into: Uint32Array): number {
  let factor = 1
  for (let place = 0; place < length; place += 1) factor = joinHash(factor, 0)
  const windows = Math.max(0, count - length + 1)
  let hash = 0
  for (let place = 0; place < count; place += 1) {
    const gone = place < length ? 0 : Math.imul(factor, units[place - length] as number)
    hash = (joinHash(hash, units[place] as number) - gone) | 0
    if (place >= length - 1) into[place - length + 1] = mixBits(hash ^ Math.imul(length, 0x85ebca6b))
  }
  return windows
}

/**
 * The same of n-grams: of each run of so many words its first word alone, and the others with the signs before them.
 */
export function gramHashes(words: Int32Array, bare: Int32Array, length: number, into: Uint32Array): number {
  const windows = windowHashes(words.subarray(1), words.length - 1, length - 1, into)
  for (let start = 0; start < windows; start += 1)
    into[start] = mixBits(joinHash(into[start] as number, bare[start] as number))
  return windows
}

/** A number of 53 bits that equal sequences of units have in common. */
export function sequencePrint(units: Int32Array, count: number): number {
  let [low, high] = [count, 0x9747b28c]
  for (let place = 0; place < count; place += 1) {
    const unit = units[place] as number
    low = joinHash(low, unit)
    high = (Math.imul(high ^ unit, 0xcc9e2d51) + (high >>> 15)) | 0
  }
  return mixBits(low) + (mixBits(high) & 0x1fffff) * 2 ** 32
}

/** Numbers one after another in memory that grows. */
export class Pool {
  numbers = new Int32Array(1024)
  used = 0

  add(numbers: ArrayLike<number>, count = numbers.length): void {
    if (this.used + count > this.numbers.length) {
      const longer = new Int32Array(2 * (this.used + count))
      longer.set(this.numbers.subarray(0, this.used))
      this.numbers = longer
    }
    const { numbers: own, used } = this
    for (let index = 0; index < count; index += 1) own[used + index] = numbers[index] as number
    this.used += count
  }

  /** The numbers in memory that threads share. */
  share(): Int32Array<SharedArrayBuffer> {
    const shared = new Int32Array(new SharedArrayBuffer(4 * this.used))
    shared.set(this.numbers.subarray(0, this.used))
    return shared
  }
}

/** The values of hashes, bucket by bucket: those of one hash lie in one bucket, with those of a few others. */
export interface HashBuckets {
  /** A bucket is the first so many bits of a hash. */
  readonly bits: number
  /** Where the values of each bucket begin; one more than there are buckets. */
  readonly starts: Uint32Array<SharedArrayBuffer>
  readonly values: Uint32Array<SharedArrayBuffer>
  /**
   * A bit for the first bits of a hash, a few more than a bucket has: one that is not set says that it has no value.
   */
  readonly filter: Int32Array<SharedArrayBuffer>
}

const filterBits = 3

/** So many hashes, each with its value, as `each` shows them: twice, in the same order. */
export function bucketsOf(count: number, each: (visit: (hash: number, value: number) => void) => void): HashBuckets {
  const bits = Math.min(26, Math.max(4, Math.ceil(Math.log2(count + 1))))
  const shift = 32 - bits
  const starts = new Uint32Array(new SharedArrayBuffer(4 * (2 ** bits + 1)))
  const filter = new Int32Array(new SharedArrayBuffer(2 ** (bits + filterBits - 3)))
  each((hash) => {
    const bucket = (hash >>> shift) + 1
    starts[bucket] = (starts[bucket] as number) + 1
    const bit = hash >>> (shift - filterBits)
    filter[bit >>> 5] = (filter[bit >>> 5] as number) | (1 << (bit & 31))
  })
  for (let bucket = 1; bucket < starts.length; bucket += 1)
    starts[bucket] = (starts[bucket] as number) + (starts[bucket - 1] as number)
  const values = new Uint32Array(new SharedArrayBuffer(4 * count))
  // From the end of each bucket to its start, which is where it is wanted then.
  each((hash, value) => {
    const end = (hash >>> shift) + 1
    const at = (starts[end] as number) - 1
    values[at] = value
    starts[end] = at
  })
  // What was the end of each bucket has become its start.
  starts.copyWithin(0, 1)
  starts[2 ** bits] = count
  return { bits, starts, values, filter }
}

/** False only for a hash that has no value. */
export function mayHave({ bits, filter }: HashBuckets, hash: number): boolean {
  const bit = hash >>> (32 - bits - filterBits)
  return ((filter[bit >>> 5] as number) & (1 << (bit & 31))) !== 0
}
