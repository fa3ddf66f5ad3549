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
  const sections = sectionsOf(code)
  if (isDateCode(code)) {
    const tokens = dateTokens(sections[0] ?? "")
    return (value, is1904) => shownDate(Number(value), tokens, is1904)
  }
  if (/^(general|@)?$/i.test(code.trim())) return (value) => shownGeneral(value)
  return (value) => {
    const number = Number(value)
    const isOther = number < 0 && sections.length > 1
    const section = sections[isOther ? 1 : number === 0 && sections.length > 2 ? 2 : 0] ?? ""
    return shownDigits(isOther ? -number : number, section, value)
  }
}

/** Whether the code shows a date or a time. */
export function isDateCode(code: string): boolean {
  const bare = code.replace(/"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, "")
  return /[ymdhs]/i.test(bare) && !/general/i.test(bare)
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

function sectionsOf(code: string): string[] {
  return code.match(/(?:"[^"]*"|\\.|\[[^\]]*\]|[^;])+|(?<=;)(?=;|$)/g) ?? []
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

/** A number by a section with placeholders for digits. */
function shownDigits(value: number, section: string, given: string): Shown {
  const { body, percents, unhide } = openSection(section)
  if (/\?\s*\/|\/\s*\?|\/\d/.test(body)) return { ...shownGeneral(given), unclear: "fractions are read as numbers" }
  const exponent = /[eE]([+-])(0+)/.exec(body)
  if (exponent) return { text: scientific(value, body, exponent) }
  if (!/[0#?]/.test(body)) return { text: unhide(body) }
  const first = body.search(/[0#?]/)
  const last = body.length - [...body].reverse().findIndex((character) => /[0#?]/.test(character))
  const [whole = "", decimals = ""] = body.slice(first, last).split(".")
  const thousands = /^,*/.exec(body.slice(last))?.[0].length ?? 0
  const scaled = Math.abs(value) * 100 ** percents * 1000 ** -thousands
  const places = decimals.replace(/[^0#?]/g, "").length
  const fixed = roundedDigits(scaled, places)
  const [integer = "0", fraction = ""] = fixed.split(".")
  const isGrouped = /[0#?],+[0#?]/.test(whole)
  const shownWhole = wholeDigits(integer, whole.replaceAll(",", ""), isGrouped)
  const least = decimals.replace(/[^0]/g, "").length
  const kept = fraction.replace(new RegExp(`0{0,${Math.max(0, places - least)}}$`), "")
  const point = decimals === "" && !body.slice(first, last).includes(".") ? "" : kept === "" && least === 0 ? "" : "."
  const sign = value < 0 && Number(fixed) !== 0 ? "-" : ""
  const text = unhide(`${sign}${body.slice(0, first)}${shownWhole}${point}${kept}${body.slice(last + thousands)}`)
  return isGrouped && integer.length > 3 ? { text: text.trim(), unclear: country } : { text: text.trim() }
}

/** The digits over their placeholders, from the right; what stands between placeholders stays in its place. */
function wholeDigits(integer: string, pattern: string, isGrouped: boolean): string {
  const digits = integer === "0" ? [] : [...integer]
  const slots = pattern.replace(/[^0#?]/g, "").length
  let shown = ""
  let seen = 0
  const put = (digit: string) => {
    shown = `${digit}${isGrouped && seen > 0 && seen % 3 === 0 ? "," : ""}${shown}`
    seen += 1
  }
  for (const mark of [...pattern].reverse()) {
    if (!/[0#?]/.test(mark)) {
      if (digits.length > 0 || seen < slots) shown = `${mark}${shown}`
    } else {
      const digit = digits.pop() ?? (mark === "0" ? "0" : undefined)
      if (digit !== undefined) put(digit)
    }
  }
  while (digits.length > 0) put(digits.pop() as string)
  return shown
}

/** As spreadsheets round: half away from zero, of the 15 digits that they keep. */
function roundedDigits(value: number, places: number): string {
  const kept = Number(value.toPrecision(15))
  if (kept >= 1e21) return String(kept)
  return (Math.round(Number(`${kept}e${places}`)) / 10 ** places).toFixed(places)
}

function scientific(value: number, body: string, [mark, sign, zeros = ""]: RegExpExecArray): string {
  const places = /\.([0#?]*)/.exec(body)?.[1]?.length ?? 0
  const [mantissa, power = "0"] = value.toExponential(places).split("e")
  const digits = power.replace(/^[+-]/, "").padStart(zeros.length, "0")
  return `${mantissa}${mark[0]}${power.startsWith("-") ? "-" : sign === "+" ? "+" : ""}${digits}`
}

/** A section whose literals are hidden in characters of private use, so that a 0 in quotes is no placeholder. */
interface Section {
  readonly body: string
  readonly percents: number
  /** The text with the literals in their places. */
  unhide(text: string): string
}

// The first characters of private use.
const firstHidden = 0xe000

/** Conditions and colours are gone, and a currency is its sign. */
function openSection(section: string): Section {
  const literals: string[] = []
  let percents = 0
  const hide = (text: string) => String.fromCharCode(firstHidden + literals.push(text) - 1)
  const body = section
    .replace(/\[\$([^\]-]*)(?:-[^\]]*)?\]/g, '"$1"')
    .replace(/\[[^\]]*\]/g, "")
    .replace(/"([^"]*)"|\\(.)|_(.)|\*./g, (_, quoted?: string, escaped?: string, space?: string) =>
      hide(quoted ?? escaped ?? (space === undefined ? "" : " ")),
    )
    .replace(/%/g, () => {
      percents += 1
      return hide("%")
    })
  const unhide = (text: string) =>
    text.replace(/[\ue000-\uf8ff]/g, (character) => literals[character.charCodeAt(0) - firstHidden] ?? "")
  return { body, percents, unhide }
}

const dateToken = /y+|m+|d+|h+|s+(?:\.0+)?|\[h+\]|\[m+\]|\[s+\]|AM\/PM|A\/P/gi

/** The parts of a date's code: an `m` beside hours or seconds is of minutes. */
function dateTokens(section: string): string[] {
  const { body, unhide } = openSection(section.replace(/^locale /, "").replace(/\[(h+|m+|s+)\]/gi, "\u0002$1\u0003"))
  const parts = body.replace(/\u0002(\w+)\u0003/g, "[$1]").split(new RegExp(`(${dateToken.source})`, "gi"))
  const isToken = (part: string | undefined) =>
    part !== undefined && new RegExp(`^(?:${dateToken.source})$`, "i").test(part)
  const tokens = parts.filter(isToken)
  let at = -1
  const read = parts.map((part) => {
    if (!isToken(part)) return unhide(part)
    at += 1
    if (!/^m{1,2}$/i.test(part)) return `{${part.toLowerCase()}}`
    const isMinute = /^\[?h/i.test(tokens[at - 1] ?? "") || /^\[?s/i.test(tokens[at + 1] ?? "")
    return `{${isMinute ? "n".repeat(part.length) : part.toLowerCase()}}`
  })
  return section.startsWith("locale ") ? ["locale", ...read] : read
}

function shownDate(serial: number, tokens: readonly string[], is1904: boolean): Shown {
  // Excel's 1900 has a 29 February: before it days are one more.
  const days = is1904 ? serial - 24_107 : serial < 60 ? serial - 25_568 : serial - 25_569
  const time = new Date(Math.round(days * 86_400_000))
  if (Number.isNaN(time.getTime())) return { text: String(serial) }
  const iso = time.toISOString()
  const isDay = Number.isInteger(serial)
  const date = isDay ? iso.slice(0, 10) : iso.slice(0, iso.endsWith(".000Z") ? 19 : 23)
  if (tokens.includes("{mmm}") || tokens.includes("{ddd}") || tokens.some((token) => /^\{(m{3,}|d{3,})\}$/.test(token)))
    return { text: date, unclear: country, date }
  const isHalfDay = tokens.some((token) => /^\{a/.test(token))
  const text = tokens.map((token) =>
    token.startsWith("{") ? partOf(token.slice(1, -1), time, serial, isHalfDay) : token,
  )
  const isLocale = tokens[0] === "locale"
  return {
    text: text
      .slice(isLocale ? 1 : 0)
      .join("")
      .trim(),
    ...(isLocale ? { unclear: country } : {}),
    date,
  }
}

function partOf(token: string, time: Date, serial: number, isHalfDay: boolean): string {
  const two = (value: number, part = token) => (part.length > 1 ? String(value).padStart(2, "0") : String(value))
  const hours = time.getUTCHours()
  if (token.startsWith("[h")) return String(Math.floor(serial * 24 + 1e-9))
  if (token.startsWith("[m")) return String(Math.floor(serial * 1440 + 1e-9))
  if (token.startsWith("[s")) return String(Math.round(serial * 86_400))
  if (token.startsWith("y"))
    return token.length > 2 ? String(time.getUTCFullYear()) : String(time.getUTCFullYear()).slice(2)
  if (token.startsWith("a")) return token === "a/p" ? (hours < 12 ? "A" : "P") : hours < 12 ? "AM" : "PM"
  if (token.startsWith("m")) return two(time.getUTCMonth() + 1)
  if (token.startsWith("d")) return two(time.getUTCDate())
  if (token.startsWith("h")) return two(isHalfDay ? hours % 12 || 12 : hours)
  if (token.startsWith("n")) return two(time.getUTCMinutes())
  const [, whole = "s", zeros] = /^(s+)(?:\.(0+))?$/.exec(token) ?? []
  const fraction =
    zeros === undefined ? "" : `.${String(time.getUTCMilliseconds()).padStart(3, "0").slice(0, zeros.length)}`
  return `${two(time.getUTCSeconds(), whole)}${fraction}`
}
