import { contentId } from "../canonical.ts"

/** A specification, as far as it names columns of imported files. */
export interface NamesColumns {
  readonly holdout: { readonly groupBy?: string | undefined; readonly newestBy?: string | undefined }
}

/** A row with the columns of its file that are kept beside its input. */
export interface ColumnedRow {
  readonly columns?: Readonly<Record<string, string>> | undefined
}

/** The names of the columns that are kept with a row and never shown to a model. */
export function keptColumns({ holdout: { groupBy, newestBy } }: NamesColumns): string[] {
  return [...new Set([groupBy, newestBy].filter((name) => name !== undefined))]
}

/**
 * The id of the row's group: equal for rows that belong together. Undefined where the task names no groups, and for a
 * row that is in none. It is a digest, so that what is frozen does not name a customer.
 */
export function groupOf({ holdout: { groupBy } }: NamesColumns, { columns }: ColumnedRow): string | undefined {
  const value = groupBy === undefined ? undefined : columns?.[groupBy]
  return value === undefined ? undefined : contentId("group", { [groupBy as string]: value })
}

/** When the row came about, in milliseconds since 1970; undefined where that is not known or not asked for. */
export function timeOf({ holdout: { newestBy } }: NamesColumns, { columns }: ColumnedRow): number | undefined {
  const value = newestBy === undefined ? undefined : columns?.[newestBy]
  return value === undefined ? undefined : parseTime(value)
}

/**
 * The time that a text says, in milliseconds since 1970: a date or a time by ISO 8601, or the seconds or milliseconds
 * since 1970. Without a zone it is in UTC. Undefined for anything else: 03/04/2026 is two dates.
 */
export function parseTime(text: string): number | undefined {
  const given = text.trim()
  if (/^\d{9,10}(\.\d+)?$/.test(given)) return 1000 * Number(given)
  if (/^\d{12,13}$/.test(given)) return Number(given)
  const [, date, time = "00:00", zone = "Z"] = iso.exec(given) ?? []
  if (date === undefined) return undefined
  const normal = zone === "Z" || zone.includes(":") ? zone : `${zone.slice(0, 3)}:${zone.slice(3) || "00"}`
  const found = Date.parse(`${date.replaceAll("/", "-")}T${time.replace(",", ".")}${normal}`)
  // 30 February would roll over into March.
  const day = new Date(Date.parse(`${date.replaceAll("/", "-")}T00:00Z`))
  return Number.isNaN(found) || !isDay(day, date) ? undefined : found
}

/** What a time may look like, in words. */
export const timeForms = "a date or time such as 2026-11-30 or 2026-11-30T10:00:00Z, or seconds since 1970"

const iso =
  /^(\d{4}[-/]\d{2}[-/]\d{2})(?:[T ]+(\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)\s*(?:UTC|(Z|[+-]\d{2}(?::?\d{2})?))?)?$/i

function isDay(day: Date, date: string): boolean {
  return !Number.isNaN(day.getTime()) && day.getUTCDate() === Number(date.slice(8, 10))
}
