// AssemblyScript, compiled to WebAssembly by assembly/compile.ts: what src/curation/near/buckets.ts calls. Lists of
// headers, each in a block of its own that is a power of two long; a list that outgrows its block moves to a larger
// one, and the old block is used again.

// A header: the place, the number of hashes, and the bit sketch (see src/curation/near/sketcher.ts).
const headerBytes: usize = 32
// Before the headers of a block: how many there are, and how many there is room for as a power of two.
const listHeaderBytes: usize = 32
const page: usize = 65536
const mostFound: u32 = 16
const sizes: usize = 32

/** Where the header of the next that is added lies. */
const header: usize = (__heap_base + 63) & ~63
/** Where the header of the set that is asked about lies. */
const asked: usize = header + 32
const found: usize = header + 64
// For each power of two the first free block, which has the next at its beginning.
const free: usize = found + ((<usize>mostFound) << 2)
const blocks: usize = (free + (sizes << 2) + 63) & ~63

let end: usize = blocks
let mostBytes: usize = 0
let stoppedAt: u32 = 0

/** The memory grows up to so many bytes. */
export function limit(bytes: usize): void {
  mostBytes = bytes
}

export function headerAt(): usize {
  return header
}
export function askedAt(): usize {
  return asked
}
export function foundAt(): usize {
  return found
}

/** How much of the memory has ever held a list; the system gives no more. */
export function used(): usize {
  return end
}

/** An empty list with room for 2^power headers; 0 where the memory is full. */
export function make(power: u32): usize {
  const reused = load<u32>(free + (<usize>power << 2))
  if (reused !== 0) {
    store<u32>(free + (<usize>power << 2), load<u32>(reused))
    return opened(reused, power)
  }
  const block = end
  const last = block + listHeaderBytes + (headerBytes << power)
  if (last > mostBytes) return 0
  const pages = <i32>((last + page - 1) / page) - memory.size()
  // Twice as much at a time: what is grown in small steps moves often, and each time the host collects its garbage.
  if (pages > 0 && memory.grow(max(pages, memory.size())) < 0 && memory.grow(pages) < 0) return 0
  end = last
  return opened(block, power)
}

function opened(block: usize, power: u32): usize {
  store<u32>(block, 0)
  store<u32>(block, power, 4)
  return block
}

/** The list is no longer asked for. */
export function release(list: usize): void {
  const firstFree = free + (<usize>load<u32>(list, 4) << 2)
  store<u32>(list, load<u32>(firstFree))
  store<u32>(firstFree, <u32>list)
}

/** Adds the header; the answer is where the list is from now on, or 0 where there is no room. */
export function add(list: usize): usize {
  const count = load<u32>(list)
  const power = load<u32>(list, 4)
  let target = list
  if (count === (1 << power)) {
    target = make(power + 1)
    if (target === 0) return 0
    memory.copy(target + listHeaderBytes, list + listHeaderBytes, (<usize>count) * headerBytes)
    release(list)
  }
  store<u32>(target, count + 1)
  memory.copy(target + listHeaderBytes + (<usize>count) * headerBytes, header, headerBytes)
  return target
}

/** Where the last `scan` stopped, for the next to go on; 0 at the end of the list. */
export function stopped(): u32 {
  return stoppedAt
}

/**
 * Finds the places of the list, from that one on, whose sets may be at the threshold: sizes and bit sketch do not rule
 * it out. A bit of the bit sketch differs only where the sets do, so there are at most as many such bits as hashes that
 * one set alone has: (1 − t) / (1 + t) of both together.
 */
export function scan(list: usize, from: u32, threshold: f64): u32 {
  const count = load<u32>(list)
  const size = load<u32>(asked, 4)
  const first = load<u64>(asked, 8)
  const second = load<u64>(asked, 16)
  const third = load<u64>(asked, 24)
  const apart = (1 - threshold) / (1 + threshold)
  const least = <u32>Math.ceil(threshold * <f64>size - 1e-6)
  const most = <u32>min<f64>(<f64>size / threshold + 1e-6, <f64>i32.MAX_VALUE)
  let out: u32 = 0
  let at = list + listHeaderBytes + (<usize>from) * headerBytes
  const last = list + listHeaderBytes + (<usize>count) * headerBytes
  for (; at < last; at += headerBytes) {
    const differing = popcnt(load<u64>(at, 8) ^ first) + popcnt(load<u64>(at, 16) ^ second) + popcnt(load<u64>(at, 24) ^ third)
    const other = load<u32>(at, 4)
    if (<f64>differing > apart * <f64>(size + other) + 1e-6 || other < least || other > most) continue
    store<u32>(found + (<usize>out << 2), load<u32>(at))
    out += 1
    if (out === mostFound) {
      at += headerBytes
      break
    }
  }
  stoppedAt = at < last ? <u32>((at - list - listHeaderBytes) / headerBytes) : 0
  return out
}
