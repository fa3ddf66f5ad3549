// `npm run test:fuzz -- [--seed N] [--kind NAME] [--count N] [--keep DIR]`: damages 400 files of every kind that is
// read, runs a command on each, and says which ended otherwise than a command may.
import { parseArgs } from "node:util"
import { type Finding, Fuzzer } from "./fuzz/fuzz.ts"
import { kinds } from "./fuzz/kinds.ts"

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    kind: { type: "string", multiple: true, default: Object.keys(kinds) },
    count: { type: "string", default: "400" },
    keep: { type: "string" },
  },
})
const [seed, count] = [Number(values.seed), Number(values.count)]
const unknown = values.kind.filter((name) => !Object.hasOwn(kinds, name))
if (unknown.length > 0) {
  process.stderr.write(`no kind ${unknown.join(", ")}; there are: ${Object.keys(kinds).join(", ")}\n`)
  process.exit(2)
}
const start = performance.now()
const say = (line: string) => process.stdout.write(`${line}\n`)
const fuzzer = await Fuzzer.open()
const findings: Finding[] = []
for (const kind of values.kind) {
  const outcome = await fuzzer.run(kind, { seed, count, keepIn: values.keep })
  const codes = [...outcome.codes].sort().map(([code, times]) => `${times} with ${code}`)
  say(`${kind.padEnd(18)}${count} files, ended ${codes.join(", ")}`)
  findings.push(...outcome.findings)
}
fuzzer.close()
for (const { kind, number, words, problem } of findings) say(`\n${kind} ${number}, ${words}: ${problem}`)
say(
  `${count * values.kind.length} files of ${values.kind.length} kinds: ${findings.length} findings ` +
    `(seed ${seed}, ${Math.round((performance.now() - start) / 1000)} s)`,
)
process.exit(findings.length === 0 ? 0 : 1)
