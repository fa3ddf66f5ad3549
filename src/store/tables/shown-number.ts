import { format, isDateFormat } from "numfmt"

/** What a spreadsheet shows of a number, as far as its file says. */
export interface Shown {
  readonly text: string
  /** What the file does not say: how the reader's own country or width of column makes it look. */
  readonly unclear?: string
  /** Whether what was typed may have had more digits. */
  readonly isCut?: boolean
  /** The number itself, where the text is of a date: by ISO 8601. */
  readonly date?: string
}

/** A number as the format of its cell shows it; `is1904` where days are counted from 1904. */
export type NumberFormat = (value: string, is1904: boolean) => Shown

/**
 * The format of a code such as `00000`, `0.00%` or `dd.mm.yyyy` (ECMA-376 part 1, 18.8.31). What the code leaves to the
 * reader's country (names of months, the short date) is shown by ISO 8601 and said to be unclear.
 */
export function numberFormat(code: string): NumberFormat {
  if (isDateCode(code)) return (value, is1904) => shownDate(Number(value), code, is1904)
  if (/^(general|@)?$/i.test(code.trim())) return (value) => shownGeneral(value)
  // A country within a currency would choose its own signs for decimals.
  const plain = code.replace(/\[\$([^\]-]*)-[^\]]*\]/g, "[$$$1]")
  const bare = withoutLiterals(code)
  if (/\?\s*\/|\/\s*[?\d]/.test(bare))
    return (value) => ({ ...shownGeneral(value), unclear: "fractions are read as numbers" })
  const isGrouped = /[0#?],+[0#?]/.test(bare)
  return (value) => {
    const text = format(plain, Number(value), { throws: false }).trim()
    return isGrouped && /\d,\d/.test(text) ? { text, unclear: country } : { text }
  }
}

/** Whether the code shows a date or a time. */
export function isDateCode(code: string): boolean {
  return isLocal(code) || isDateFormat(code)
}

/** The codes of the formats that files name by number (18.8.30); `locale` marks one of the reader's country. */
export const builtInCodes: Readonly<Record<number, string>> = {
  ...{ 0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00" },
  ...{ 12: "# ?/?", 13: "# ??/??", 14: "locale yyyy-mm-dd", 15: "locale d-mmm-yy", 16: "locale d-mmm" },
  ...{ 17: "locale mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss" },
  ...{ 22: "locale yyyy-mm-dd h:mm", 37: "#,##0;-#,##0", 38: "#,##0;-#,##0", 39: "#,##0.00;-#,##0.00" },
  ...{ 40: "#,##0.00;-#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@" },
  ...Object.fromEntries([27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58].map((id) => [id, "locale yyyy-mm-dd"])),
  ...Object.fromEntries([32, 33, 34, 35, 55, 56].map((id) => [id, "locale yyyy-mm-dd h:mm"])),
}

const country = "how the spreadsheet shows it depends on the reader's country"
const localMark = /^locale /

function isLocal(code: string): boolean {
  return localMark.test(code)
}

/** The code without what it shows as it stands, and without colours, conditions and currencies. */
function withoutLiterals(code: string): string {
  return code.replace(/"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, "")
}

function shownGeneral(value: string): Shown {
  const number = Number(value)
  if (!Number.isFinite(number)) return { text: value }
  const digits = String(Math.abs(number)).replace(/[.e].*$/, "").length
  const text = Number.isInteger(number) && digits <= 20 ? String(number) : String(Number(number.toPrecision(15)))
  return digits > 15
    ? { text, unclear: "a spreadsheet keeps 15 digits of a number; format the cells as Text for more", isCut: true }
    : { text }
}

function shownDate(given: number, code: string, is1904: boolean): Shown {
  const serial = is1904 ? given + daysTo1904 : given
  // Excel's 1900 has a 29 February: before it days are one more.
  const time = new Date(Math.round((serial < 60 ? serial - 25_568 : serial - 25_569) * 86_400_000))
  if (Number.isNaN(time.getTime()) || serial < 0) return { text: String(given) }
  const iso = time.toISOString()
  const date = Number.isInteger(serial) ? iso.slice(0, 10) : iso.slice(0, iso.endsWith(".000Z") ? 19 : 23)
  if (/m{3,}|d{3,}/i.test(withoutLiterals(code))) return { text: date, unclear: country, date }
  const text = format(code.replace(localMark, ""), serial, { throws: false }).trim()
  return { text, ...(isLocal(code) ? { unclear: country } : {}), date }
}

const daysTo1904 = 1462
