import { z } from "zod"
import { splits, type Assignment, type Split } from "./example.ts"

/**
 * Where a row is held now. `retired`: it was in a test set that is worn; it is in no split any more and is never
 * trained on, until people release it.
 */
export type Held = Split | "retired"

/** Where rows may be held, by number; zero is for rows that have no split. */
export const heldNames = [undefined, ...splits, "retired"] as const

/** An assignment after the refreshes of the holdout. */
export interface StandingAssignment extends Omit<Assignment, "split"> {
  readonly split: Held
}

/** A line of `refreshes.jsonl`: one refresh of the test set; appended, never changed. */
export const refreshSchema = z.strictObject({
  at: z.iso.datetime().describe("When"),
  holdout: z.string().describe("The holdout that was worn"),
  openings: z.int().describe("How many decisions had been made on its test rows"),
  fresh: z
    .array(z.strictObject({ id: z.string(), stratum: z.string() }))
    .describe(
      "Seeds and inputs that no model was trained on, from now on in the test set, each with the group " +
        "that it is counted with",
    ),
  retired: z.array(z.string()).describe("Test rows that were opened, from now on in no split and not trained on"),
  released: z.array(z.string()).describe("Retired rows that may be trained on from now on, because somebody said so"),
  why: z.string().optional().describe("The reason, in the words of whoever asked for it"),
})
export type HoldoutRefresh = z.output<typeof refreshSchema>

/**
 * A row as it is held after the refreshes: released rows are in train, retired ones in no split, fresh ones in test,
 * all others where they were first assigned. The order of the refreshes does not matter, and a held-out row reaches
 * train by a release alone.
 */
export function standingAfter(refreshes: readonly HoldoutRefresh[]): (assignment: Assignment) => StandingAssignment {
  if (refreshes.length === 0) return (assignment) => assignment
  const named = (list: "retired" | "released") => new Set(refreshes.flatMap((refresh) => refresh[list]))
  const [retired, released] = [named("retired"), named("released")]
  const fresh = new Map(refreshes.flatMap((refresh) => refresh.fresh.map(({ id, stratum }) => [id, stratum] as const)))
  return (assignment) => {
    const { id } = assignment
    if (released.has(id)) return { ...assignment, split: "train" }
    if (retired.has(id)) return { ...assignment, split: "retired" }
    const stratum = fresh.get(id)
    return stratum === undefined ? assignment : { id, split: "test", stratum }
  }
}

/** The ids that the refreshes name: all others are held where they were first assigned. */
export function namedIn(refreshes: readonly HoldoutRefresh[]): Set<string> {
  return new Set(
    refreshes.flatMap(({ fresh, retired, released }) => [...fresh.map(({ id }) => id), ...retired, ...released]),
  )
}
