import { z } from "zod"
import type { TaskSpecification } from "../task/task.ts"

/** What a filter does with a row in which it finds something. */
export const severitySchema = z.enum(["off", "flag", "drop"])

/**
 * The option that every filter has: `drop` leaves grown rows out and flags those that a person wrote or accepted,
 * `flag` only reports, `off` is off.
 */
export function severityOption(usual: "flag" | "drop") {
  return severitySchema
    .default(usual)
    .describe(
      "drop: grown rows with a finding are left out, rows that a person wrote or accepted are reported. " +
        "flag: only reported. off: not looked for",
    )
}

/** Where in a row a text stands. */
export type TextPlace = "input" | "output"

/** One thing that a filter found in a text. */
export interface FilterFinding {
  /** One of the filter's codes. */
  readonly code: string
  /** What was found, short. */
  readonly detail: string
}

/**
 * The default export of a file in filters/, whose name is the filter's id: what makes a text unfit to learn from.
 *
 * `find` is pure and takes time in proportion to the text. It is asked for each text of a row by itself: the strings of
 * the input and, where the output is not a label, those of the output. An empty text has no findings.
 */
export interface Filter<Options extends { readonly severity: z.output<typeof severitySchema> } = never> {
  readonly summary: string
  /** Each reason code with its meaning. */
  readonly codes: Readonly<Record<string, string>>
  readonly options: z.ZodType<Options>
  find(
    text: string,
    where: { readonly place: TextPlace; readonly task: TaskSpecification },
    options: Options,
  ): readonly FilterFinding[]
}

/** A filter that is on, with its options. */
export interface ConfiguredFilter {
  readonly name: string
  readonly filter: Filter
  readonly options: { readonly severity: "flag" | "drop" }
}

/** The finding with what was found cut to a line of 40 characters. */
export function finding(code: string, found: string): FilterFinding {
  const line = found.replace(/\s+/g, " ").trim()
  return { code, detail: line.length > 40 ? `${line.slice(0, 39).toWellFormed()}…` : line }
}

/** The first match of each pattern, under its code. */
export function firstMatches(
  text: string,
  patterns: readonly { readonly code: string; readonly pattern: RegExp }[],
): FilterFinding[] {
  const found = new Map<string, FilterFinding>()
  for (const { code, pattern } of patterns) {
    const match = found.has(code) ? null : pattern.exec(text)
    if (match) found.set(code, finding(code, match[0]))
  }
  return [...found.values()]
}
