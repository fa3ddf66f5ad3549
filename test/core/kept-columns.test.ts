import { expect, it } from "vitest"
import { groupOf, keptColumns, parseTime, timeOf } from "../../src/core/rows/kept-columns.ts"

it.each([
  ["2026-11-30", "2026-11-30T00:00:00.000Z"],
  ["2026/11/30", "2026-11-30T00:00:00.000Z"],
  [" 2026-11-30T10:00Z ", "2026-11-30T10:00:00.000Z"],
  ["2026-11-30 10:00:05", "2026-11-30T10:00:05.000Z"],
  ["2026-11-30 10:00:05.123456 UTC", "2026-11-30T10:00:05.123Z"],
  ["2026-11-30T10:00:05,5+02:00", "2026-11-30T08:00:05.500Z"],
  ["2026-11-30T10:00:05-0330", "2026-11-30T13:30:05.000Z"],
  ["1764496800", "2025-11-30T10:00:00.000Z"],
  ["1764496800.25", "2025-11-30T10:00:00.250Z"],
  ["1764496800000", "2025-11-30T10:00:00.000Z"],
])("%s is a time", (text, iso) => {
  expect(new Date(parseTime(text) ?? NaN).toISOString()).toBe(iso)
})

it.each([
  "",
  "30.11.2026",
  "03/04/2026",
  "2026-02-30",
  "2026-13-01",
  "2026-11-30T25:00",
  "yesterday",
  "2026",
  "12",
  "1e9",
])("%j could be more than one time, or is none", (text) => {
  expect(parseTime(text)).toBeUndefined()
})

it("a group is known by its column and value, and its id shows neither", () => {
  const task = { holdout: { groupBy: "customer", newestBy: "received" } }
  const row = (customer: string) => ({ columns: { customer, received: "2026-11-30" } })
  expect(keptColumns(task)).toEqual(["customer", "received"])
  expect(groupOf(task, row("jane.doe@example.com"))).toMatch(/^group_[0-9a-f]{16}$/)
  expect(groupOf(task, row("a"))).toBe(groupOf(task, row("a")))
  expect(groupOf(task, row("a"))).not.toBe(groupOf(task, row("b")))
  expect(groupOf({ holdout: { groupBy: "thread" } }, { columns: { thread: "a" } })).not.toBe(groupOf(task, row("a")))
  expect(groupOf({ holdout: {} }, row("a"))).toBeUndefined()
  expect(groupOf(task, {})).toBeUndefined()
  expect(timeOf(task, row("a"))).toBe(Date.UTC(2026, 10, 30))
})
