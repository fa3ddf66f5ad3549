import type { Command } from "commander"
import type { Host } from "../host.ts"
import { registerImport } from "../import-command.ts"

export function register(command: Command, host: Host): void {
  registerImport(command, host, "input")
}
