import { Argument, type Command } from "commander"
import { z } from "zod"
import { candidateSchema, decisionSchema, realInputSchema, seedSchema } from "../../core/rows/example.ts"
import { jobSchema } from "../../core/training/job.ts"
import { workspaceSchema } from "../../core/workspace-settings.ts"
import { taskSchema } from "../../core/task/task.ts"
import type { Host } from "../host.ts"
import { stdout } from "../machine.ts"

const example = z
  .union([seedSchema, realInputSchema, candidateSchema, decisionSchema])
  .describe("A line of seeds.jsonl, inputs.jsonl, candidates/*.jsonl or decisions/*.jsonl")

/** The files that people write or read, by the names of `tuneloop schema`. */
export const schemas = { task: taskSchema, job: jobSchema, workspace: workspaceSchema, example } as const
export type SchemaName = keyof typeof schemas

/** JSON Schema (2020-12) of the file, as people write it. */
export function jsonSchemaOf(name: SchemaName): unknown {
  return z.toJSONSchema(schemas[name], { io: "input", unrepresentable: "any" })
}

export function register(command: Command, host: Host): void {
  command
    .addArgument(new Argument("<file>", "which file").choices(Object.keys(schemas)))
    .addHelpText(
      "after",
      "\nAn editor completes a file that begins with:\n# yaml-language-server: $schema=<path of the " +
        "schema>\nExample: tuneloop schema task > task.json",
    )
    .action((name: SchemaName) => {
      host.terminal.endProgress()
      stdout.write(`${JSON.stringify(jsonSchemaOf(name), null, 2)}\n`)
    })
}
