import type { Command } from "commander"
import type { Host } from "../host.ts"
import { registerLs } from "../models/ls.ts"

export function register(command: Command, host: Host): void {
  registerLs(command, host)
}
