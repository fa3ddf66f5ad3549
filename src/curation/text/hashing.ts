/** The 32 bits spread evenly, one to one: MurmurHash3's finaliser (Appleby 2011). */
export function mixBits(value: number): number {
  let mixed = value | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** The hash of what came before, joined with one more value; the order counts. `mixBits` makes it ready for use. */
export function joinHash(before: number, value: number): number {
  return (Math.imul(before, 0x9e3779b1) + value) | 0
}

/** A 32-bit hash of the text's UTF-16 code units (FNV-1a, mixed). Not for secrets. */
export function hashText(text: string): number {
  let hash = hashStart
  for (let index = 0; index < text.length; index += 1) hash = joinCharacter(hash, text.charCodeAt(index))
  return mixBits(hash)
}

/** The hash of no text, before it is mixed. */
export const hashStart = 0x811c9dc5

/** The hash with one more code unit, before it is mixed. */
export function joinCharacter(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193)
}
