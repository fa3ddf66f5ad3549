import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Command } from "commander"
import { z } from "zod"
import { redactSecrets } from "../../core/errors.ts"
import { parseYaml } from "../../core/parse.ts"
import { readText } from "../../store/files/files.ts"
import type { Host } from "../host.ts"
import { table } from "../terminal.ts"

export function register(command: Command, host: Host): void {
  command
    .command("show")
    .description("print each setting with its value and where it comes from")
    .action(() => {
      const file = join(host.workspace.root, "tuneloop.yaml")
      const { settings: known } = host.workspace
      const text = existsSync(file) ? readText(file) : ""
      const written = parseYaml(z.record(z.string(), z.unknown()).nullable(), text, file, "Edit the file.") ?? {}
      const { folder, source } = host.workspaceFolder()
      const settings = [
        { name: "workspace", value: folder, source },
        ...Object.entries(known).map(([name, value]) => ({
          name,
          value: withoutSecrets(value),
          source: name in written ? "tuneloop.yaml" : "default",
        })),
        ...["TUNELOOP_PYTHON", "TUNELOOP_CACHE", "TUNELOOP_MODEL", "OPENAI_BASE_URL"]
          .filter((name) => host.environment[name])
          .map((name) => ({ name, value: withoutSecrets(host.environment[name]), source: "environment" })),
      ]
      host.print(
        { settings },
        table(
          ["setting", "value", "source"],
          settings.map((setting) => [
            setting.name,
            typeof setting.value === "string" ? setting.value : JSON.stringify(setting.value),
            setting.source,
          ]),
        ),
      )
    })
}

/** A secret in an address is refused where it is used, and shown nowhere. */
function withoutSecrets(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(redactSecrets(JSON.stringify(value)))
}
