import type { Command } from "commander"
import type { Host } from "../host.ts"
import { registerImport } from "./_import.ts"

export function register(command: Command, host: Host): void {
  registerImport(command, host, "seed")
}
