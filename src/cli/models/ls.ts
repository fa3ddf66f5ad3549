import type { Command } from "commander"
import { endingsOf, type ModelEnding } from "../../stages/models/what-to-do.ts"
import type { ModelInUse } from "../../stages/models/models-in-use.ts"
import type { Host } from "../host.ts"
import { fittedTable } from "../terminal.ts"
import { readModelsInUse } from "./in-use.ts"

export function registerLs(command: Command, host: Host): void {
  command
    .command("ls", { isDefault: true })
    .description("list the models that specifications, jobs and runs depend on,\nand when they end (the default)")
    .addHelpText(
      "after",
      "\nThe dates are those of the workspace's own sunsets.yaml, then those of\nfacts/sunsets.yaml. " +
        "doctor and status warn from 90 days before.\nExample: tuneloop models",
    )
    .action(async () => {
      const models = await readModelsInUse(host, (message) => host.terminal.warn(message))
      const endings = endingsOf(models)
      host.print(
        {
          models: models.map(({ host: at, ...used }) => ({ ...used, host: at ?? null })),
          todo: endings.map(({ model, sunset: { what }, todo }) => ({ model, what, todo })),
        },
        [
          describe(models, host.terminal.outputWidth),
          ...(models.some(isUnknown) ? [whatIsNotKnown] : []),
          ...endings.map(describeEnding),
        ].join("\n\n"),
      )
    })
}

function isUnknown({ sunsets }: ModelInUse): boolean {
  return sunsets.length === 0
}

const whatIsNotKnown =
  "An end that is not known is no promise that there is none: neither sunsets.yaml\n" +
  "nor facts/sunsets.yaml has a date. Write what the provider says in sunsets.yaml."

/** What is known of the model's end, and of whom. */
function describeEnds({ host, sunsets, elsewhere }: ModelInUse): string {
  if (sunsets.length > 0) return sunsets.map(({ what, retires }) => `${what} ${retires}`).join(", ")
  if (elsewhere.length === 0) return "not known"
  const known = elsewhere.map(({ what, retires, host: other }) => `${what} ${retires} at ${other}`)
  return `not known of ${host ?? "this one"}; ${known.join(", ")}`
}

function describe(models: readonly ModelInUse[], width: number | undefined): string {
  if (models.length === 0) return "no specification, job or run names a model"
  return fittedTable(
    ["model", "at", "end", "used by"],
    models.map((used) => [
      used.model,
      used.host ?? "here",
      describeEnds(used),
      used.usedBy.map(({ kind, name, as }) => (kind === "run" ? `${name} (${as})` : `${kind} ${name}`)).join(", "),
    ]),
    { width },
  )
}

function describeEnding({ model, sunset, when, todo }: ModelEnding): string {
  return [`${model} ${when} (${sunset.source}, ${sunset.asOf})`, ...todo.map((line) => `  ${line}`)].join("\n")
}
