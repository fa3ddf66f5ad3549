/**
 * How many rows that come in groups say as much as one that stands alone: 1 for rows that all stand alone, or are no
 * more alike within a group than others; the size of the groups where all of a group say the same (Kish 1965). Of
 * groups of different sizes the mean counts that a row meets. No groups give 1.
 */
export function designEffect(sizes: Iterable<number>, correlation: number): number {
  let [rows, squares] = [0, 0]
  for (const size of sizes) {
    rows += size
    squares += size * size
  }
  return rows === 0 ? 1 : 1 + (squares / rows - 1) * correlation
}
