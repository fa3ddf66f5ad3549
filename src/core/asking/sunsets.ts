import { z } from "zod"
import { isMeant } from "./model-match.ts"

/** What ends: the model's answers, or the training of jobs on it. */
export const endings = ["serving", "training"] as const
export type Ending = (typeof endings)[number]

/** The file of sunsets, of the package and of a workspace. */
export const sunsetsSchema = z.strictObject({
  models: z.array(
    z.strictObject({
      match: z
        .string()
        .min(1)
        .describe("The model's name at the server; its dated snapshots count as well, and * stands for any text"),
      host: z.string().min(1).optional().describe("The host that retires it, * for any text; without it, any host"),
      retires: z.iso.date().describe("The day on which it ends"),
      what: z
        .enum(endings)
        .describe("What ends: serving (it answers no more), or training (no more jobs are taken for it)"),
      source: z.string().min(1).describe("Where it is written"),
      asOf: z.iso.date().describe("The day on which somebody looked"),
      instead: z.string().min(1).optional().describe("What the provider, or whoever wrote this, names instead"),
    }),
  ),
})
export type SunsetEntry = z.output<typeof sunsetsSchema>["models"][number]

/** From so many days before its end on, people are warned of a model. */
export const warningDays = 90

/** The end of a model, as seen from a day. */
export interface Sunset extends Omit<SunsetEntry, "match" | "host"> {
  /** Below zero once it is over. */
  readonly daysLeft: number
  readonly state: "later" | "soon" | "over"
}

/** Of a model that may be served by a host: of each thing that ends the first entry that fits, the soonest first. */
export function sunsetsOf(
  { model, host }: { readonly model: string; readonly host: string | undefined },
  entries: readonly SunsetEntry[],
  today: Date,
): Sunset[] {
  return endings
    .flatMap((what) => entries.find((entry) => entry.what === what && isMeant(entry, model, host)) ?? [])
    .map(({ match: _, host: _host, ...sunset }) => ({ ...sunset, ...timeLeft(sunset.retires, today) }))
    .sort((a, b) => a.daysLeft - b.daysLeft)
}

/** What ends of a model of this name at hosts that are not this one: known of them, and of this host only a hint. */
export function sunsetsElsewhere(
  { model, host }: { readonly model: string; readonly host: string | undefined },
  entries: readonly SunsetEntry[],
): readonly SunsetEntry[] {
  // An entry for every model says nothing of this one.
  return entries.filter((entry) => {
    const { host: other, match } = entry
    return other !== undefined && other !== host && match !== "*" && isMeant(entry, model, other)
  })
}

function timeLeft(retires: string, today: Date): Pick<Sunset, "daysLeft" | "state"> {
  const daysLeft = daysUntil(retires, today)
  return { daysLeft, state: daysLeft < 0 ? "over" : daysLeft <= warningDays ? "soon" : "later" }
}

/** Whole days until the day, by UTC; 0 on the day itself. */
export function daysUntil(day: string, today: Date): number {
  // No negative zero, which JSON and people read as another number.
  return Math.ceil((Date.parse(day) - today.getTime()) / dayMs) + 0
}
const dayMs = 24 * 60 * 60 * 1000
