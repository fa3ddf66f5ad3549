import type { Command } from "commander"
import { endingsOf, type ModelEnding } from "../../stages/models/what-to-do.ts"
import type { ModelInUse } from "../../stages/models/models-in-use.ts"
import type { Host } from "../host.ts"
import { table } from "../terminal.ts"
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
        [describe(models), ...endings.map(describeEnding)].join("\n\n"),
      )
    })
}

function describe(models: readonly ModelInUse[]): string {
  if (models.length === 0) return "no specification, job or run names a model"
  return table(
    ["model", "at", "end", "used by"],
    models.map(({ model, host, sunsets, usedBy }) => [
      model,
      host ?? "here",
      sunsets.map(({ what, retires }) => `${what} ${retires}`).join(", ") || "none known",
      usedBy.map(({ kind, name, as }) => (kind === "run" ? `${name} (${as})` : `${kind} ${name}`)).join(", "),
    ]),
  )
}

function describeEnding({ model, sunset, when, todo }: ModelEnding): string {
  return [`${model} ${when} (${sunset.source}, ${sunset.asOf})`, ...todo.map((line) => `  ${line}`)].join("\n")
}
