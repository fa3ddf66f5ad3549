/** Puts texts where memory does not hold them, in numbered parts. */
export interface SpillWriter {
  /** Adds the text to the part, in UTF-8; returns its place. */
  add(part: number, text: string): number
  /** How many bytes the text has that was added last. */
  readonly lastBytes: number
}

/** Finds texts that were put aside, by their place or a part at a time. */
export interface SpillReader {
  /** Fills `target` with bytes of one text, from the place on. */
  read(place: number, target: Uint8Array): void
  /** How many bytes the part has. */
  partBytes(part: number): number
  /** The part in memory: gives the bytes at a place of it, which stay as they are until another part is read. */
  readPart(part: number): (place: number, length: number) => Uint8Array
}

export interface Spill extends SpillWriter, SpillReader {}
