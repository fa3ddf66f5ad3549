/** Where bytes lie that memory should not hold: one after another, found again by their place. */
export interface Spill {
  /** How many bytes there are: the place of what is added next. */
  readonly size: number
  /** Adds the bytes, or the text as UTF-8. */
  add(part: Uint8Array | string): void
  /** Fills `target` with the bytes from the place on. All of them must have been added. */
  read(place: number, target: Uint8Array): void
}
