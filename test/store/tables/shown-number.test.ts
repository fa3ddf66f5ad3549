import { describe, expect, it } from "vitest"
import { isDateCode, numberFormat } from "../../../src/store/tables/shown-number.ts"

const shown = (code: string, value: number | string) => numberFormat(code)(String(value), false)

describe("a number is shown as the format of its cell says", () => {
  it.each([
    ["General", 12, "12"],
    ["General", 0.1 + 0.2, "0.3"],
    ["General", "1.23456789012346E+15", "1234567890123460"],
    ["@", 7, "7"],
    ["00000", 12, "00012"],
    ["00000", 1234567, "1234567"],
    ["000-00-0000", 123456789, "123-45-6789"],
    ['0000"-"00', 202611, "2026-11"],
    ["0%", 0.5, "50%"],
    ["0 %", 0.5, "50 %"],
    ["0.00%", 0.12345, "12.35%"],
    ["0.00", 1.005, "1.01"],
    ["0.0#", 1.5, "1.5"],
    ["0.0#", 1, "1.0"],
    ["#", 0, ""],
    ["0.00", -1.5, "-1.50"],
    ["#,##0", 999, "999"],
    ["#,##0.00", 1234.5, "1,234.50"],
    ["0.00;(0.00)", -1.5, "(1.50)"],
    ['0;-0;"none"', 0, "none"],
    ["[Red]0", 3, "3"],
    ['"No. "0', 7, "No. 7"],
    ["[$€-407] 0.00", 5, "€ 5.00"],
    ['0.00" €"', 5, "5.00 €"],
    ["0.00E+00", 12345, "1.23E+04"],
    ["#,##0,", 12345678, "12,346"],
  ])("%s of %s is %s", (code, value, text) => {
    expect(shown(code, value).text).toBe(text)
  })

  it.each([
    ["yyyy-mm-dd", 46356, "2026-11-30"],
    ["dd.mm.yyyy", 46356, "30.11.2026"],
    ["d/m/yy", 46356, "30/11/26"],
    ["yyyy-mm-dd hh:mm", 46356.75, "2026-11-30 18:00"],
    ["h:mm AM/PM", 0.75, "6:00 PM"],
    ["mm:ss", 0.0007060185, "01:01"],
    ["[h]:mm", 1.5, "36:00"],
    ['yyyy"年"m"月"', 46356, "2026年11月"],
    ["yyyy-mm-dd", 1, "1900-01-01"],
  ])("the date %s of %s is %s", (code, value, text) => {
    expect(shown(code, value).text).toBe(text)
  })
})

it("what the file does not say is named", () => {
  for (const [code, value] of [
    ["locale yyyy-mm-dd", 46356],
    ["d-mmm-yy", 46356],
    ["dddd, d. mmmm yyyy", 46356],
  ] as const)
    expect(shown(code, value)).toMatchObject({ text: "2026-11-30", unclear: expect.stringContaining("country") })
  expect(shown("#,##0", 1234).unclear).toContain("country")
  expect(shown("General", "7.4038124535149773E+17").unclear).toContain("15 digits")
  expect(shown("dd.mm.yyyy", 46356)).toEqual({ text: "30.11.2026", date: "2026-11-30" })
  expect(numberFormat("yyyy-mm-dd")("0", true).text).toBe("1904-01-01")
})

it("a code is of a date by its own letters, not by those in quotes or colours", () => {
  expect(["dd.mm.yyyy", "[h]:mm", "m"].map(isDateCode)).toEqual([true, true, true])
  expect(['0 "days"', "[Red]0", "General", "0.00_d", "@"].map(isDateCode)).toEqual([false, false, false, false, false])
})
