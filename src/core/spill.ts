/** Where bytes lie that memory should not hold, in numbered parts: found again by their place, or a part at a time. */
export interface Spill {
  /** Adds the bytes to the part; returns their place. */
  add(part: number, bytes: Uint8Array): number
  /** Fills `target` with bytes that were added together, from the place on. */
  read(place: number, target: Uint8Array): void
  /** The part in memory: gives the bytes at a place of it, which stay as they are until another part is read. */
  readPart(part: number): (place: number, length: number) => Uint8Array
}
