import { join } from "node:path"
import { backendContract } from "./contract.ts"
import { runnerCase } from "./runner-case.ts"

const module = join(import.meta.dirname, "open-local.ts")

backendContract("local", () => runnerCase(module))
