import type { Command } from "commander"
import type { Host } from "../host.ts"
import { registerLs } from "../models/ls.ts"
import { registerRecord } from "../models/record.ts"

export function register(command: Command, host: Host): void {
  registerLs(command, host)
  registerRecord(command, host)
}
