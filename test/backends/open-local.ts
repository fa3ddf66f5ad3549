import local from "../../src/backends/local.ts"
import type { BackendContext, FineTuneBackend } from "../../src/core/contracts/backend.ts"

export function open(context: BackendContext): FineTuneBackend {
  return local.create(context, local.options.parse({}))
}
