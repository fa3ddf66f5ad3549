// Records what a checkout's command line does, a file a command, so that two recordings compare with `diff -r`:
// node test/characterisation/record.ts [--checkout DIR] [--out DIR] [--shared DIR] [--only scenario,…]
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { record, writeRecording } from "./recording.ts"
import { scenarios } from "./scenarios.ts"

const root = resolve(import.meta.dirname, "..", "..")
const { values } = parseArgs({
  options: {
    checkout: { type: "string", default: root },
    out: { type: "string", default: join(root, "test-results", "recording") },
    shared: { type: "string" },
    only: { type: "string" },
  },
})
const checkout = resolve(values.checkout)
const candidates = [values.shared, join(checkout, "..", "shared"), join(root, "..", "shared")]
const shared = candidates.flatMap((folder) => (folder === undefined ? [] : [resolve(folder)])).find(existsSync)
const wanted = values.only?.split(",")
const chosen = scenarios.filter(({ name }) => wanted === undefined || wanted.some((start) => name.startsWith(start)))
const out = resolve(values.out)
const started = performance.now()
await record(
  chosen,
  { checkout, shared, fixtures: join(root, "test", "fixtures") },
  ({ scenario, recording, seconds }) => {
    writeRecording(out, recording)
    process.stderr.write(`${scenario}: ${recording.size} files, ${Math.round(seconds)} s\n`)
  },
)
const seconds = Math.round((performance.now() - started) / 1000)
process.stdout.write(`${chosen.length} scenarios are recorded in ${out}, ${seconds} s\n`)
