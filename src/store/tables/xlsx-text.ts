/** What a sheet of Excel holds, and of a cell. */
export const excelLimits = { rows: 1_048_576, columns: 16_384, cellCharacters: 32_767 } as const

/**
 * The text as XML of a workbook holds it: what XML cannot carry as `_xHHHH_`, and a text that looks like that escaped
 * (ECMA-376 part 1, 22.9.2.19).
 */
export function encodeText(text: string): string {
  return text
    .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, "_x005F_")
    .replace(
      /[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/g,
      (character) => `_x${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}_`,
    )
    .toWellFormed()
    .replace(/[&<>]/g, (character) => (character === "&" ? "&amp;" : character === "<" ? "&lt;" : "&gt;"))
}

/** The text as XML of an attribute. */
export function encodeAttribute(text: string): string {
  return encodeText(text).replace(/["\n\t]/g, (character) => `&#${character.charCodeAt(0)};`)
}

export function decodeEscapes(text: string): string {
  return text.includes("_x")
    ? text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    : text
}

/** A, B, … Z, AA: the letters of a column, from 0. */
export function lettersOf(column: number): string {
  let letters = ""
  for (let rest = column + 1; rest > 0; rest = Math.floor((rest - 1) / 26))
    letters = String.fromCharCode(65 + ((rest - 1) % 26)) + letters
  return letters
}

/** The column of a cell's reference such as B17, from 0. */
export function columnOf(reference: string): number {
  let column = 0
  for (const character of reference) {
    const digit = character.charCodeAt(0) - 64
    if (digit < 1 || digit > 26) break
    column = 26 * column + digit
  }
  return column - 1
}
