import { z } from "zod"
import { fitsWildcard } from "../wildcard.ts"

/** What the specification says of the rights in the data. */
export const rightsSchema = z.strictObject({
  sources: z
    .record(
      z.string().min(1),
      z.strictObject({
        licence: z
          .string()
          .min(1)
          .default("unknown")
          .describe("The licence of the source's rows: an SPDX id, or words"),
        note: z.string().optional().describe("Who allowed what, and where that is written"),
      }),
    )
    .default({})
    .describe(
      "The rights in each source of rows, by the name that the rows have as their source; a source that " +
        "is not here is unknown",
    ),
  forbid: z
    .array(
      z
        .strictObject({
          source: z.string().min(1).optional().describe("A source of rows, or of what they were grown from"),
          generator: z.string().min(1).optional().describe("A model that grew rows, as provider:model"),
          baseModel: z
            .string()
            .min(1)
            .optional()
            .describe("The base model of a job; such a rule is checked when it is trained"),
          licence: z
            .string()
            .min(1)
            .optional()
            .describe("The licence of a source or of a model; unknown is one as well"),
          why: z.string().min(1).optional().describe("The reason, for the message"),
        })
        .refine(
          (rule) => [rule.source, rule.generator, rule.baseModel, rule.licence].some((part) => part !== undefined),
          {
            message: "needs at least one of source, generator, baseModel, licence",
          },
        ),
    )
    .default([])
    .describe(
      "What may not come together in a dataset version: it is refused when everything that a rule names " +
        "is in it. * stands for any text",
    ),
})
type Rule = z.output<typeof rightsSchema>["forbid"][number]

/** The file of licences, of the package and of a workspace. */
export const licencesSchema = z.strictObject({
  models: z.array(
    z.strictObject({
      match: z.string().min(1).describe("A part of the model's name, whatever its case"),
      licence: z.string().min(1),
      terms: z.string().min(1).optional(),
      source: z.string().min(1).describe("Where it is written"),
      checked: z.iso.date().describe("When somebody looked"),
    }),
  ),
})
export type ModelLicence = z.output<typeof licencesSchema>["models"][number]

/**
 * Where rows come from: how many rows by source, by generator, and the base model where one is known. Rows without a
 * source count under `not stated`.
 */
export interface Origins {
  readonly sources: ReadonlyMap<string, number>
  readonly generators: ReadonlyMap<string, number>
  readonly baseModel?: string
}

export const notStated = "not stated"
export const unknownLicence = "unknown"

/** The first entry that fits the model's name; undefined for an unknown model. */
export function licenceOf(model: string, licences: readonly ModelLicence[]): ModelLicence | undefined {
  return licences.find(({ match }) => model.toLowerCase().includes(match.toLowerCase()))
}

/**
 * The rules whose every part is met, each with what meets it. A rule with a base model is met only where one is known.
 */
export function brokenRules(
  rights: z.output<typeof rightsSchema>,
  origins: Origins,
  licences: readonly ModelLicence[],
): { readonly rule: Rule; readonly met: readonly string[] }[] {
  const bases = origins.baseModel === undefined ? [] : [origins.baseModel]
  const models = [...origins.generators.keys(), ...bases]
  const held = [
    ...[...origins.sources.keys()].map((name) => ({
      what: `source ${name}`,
      licence: rights.sources[name]?.licence ?? unknownLicence,
    })),
    ...models.map((name) => ({ what: `model ${name}`, licence: licenceOf(name, licences)?.licence ?? unknownLicence })),
  ]
  return rights.forbid.flatMap((rule) => {
    const fitting = (pattern: string | undefined, names: Iterable<string>, what: string) =>
      pattern === undefined
        ? undefined
        : [...names].filter((name) => fitsWildcard(pattern, name)).map((name) => `${what} ${name}`)
    const { licence } = rule
    const parts = [
      fitting(rule.source, origins.sources.keys(), "source"),
      fitting(rule.generator, origins.generators.keys(), "generator"),
      fitting(rule.baseModel, bases, "base model"),
      licence === undefined
        ? undefined
        : held
            .filter((each) => fitsWildcard(licence, each.licence))
            .map(({ what, licence: its }) => `${what} (${its})`),
    ].filter((part) => part !== undefined)
    return parts.every((part) => part.length > 0) ? [{ rule, met: [...new Set(parts.flat())] }] : []
  })
}
