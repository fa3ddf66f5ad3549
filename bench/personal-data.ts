// How much of 1,000 made-up things of each kind is found, and what is found in ordinary texts. See README.md.
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "csv-parse/sync"
import { findPersonalData } from "../src/curation/privacy/personal-data.ts"
import { seeded } from "../test/seeded.ts"
import { madeThings, ordinaryTexts, type MadeText } from "./personal-data-texts.ts"

const python = process.argv[2]
const banking = join(import.meta.dirname, "..", "..", "shared", "data", "banking77", "train.csv")
const random = seeded(20_261_130)
const made = madeThings(random, 1000)
const ordinary = ordinaryTexts(random, 5000)
const queries = existsSync(banking)
  ? (parse(readFileSync(banking), { columns: true }) as { text: string }[]).map(({ text }): MadeText => ({ text }))
  : []
const all = [...made, ...ordinary, ...queries]

interface Found {
  readonly kind: string
  readonly start: number
  readonly end: number
}

const ours = all.map(({ text }): Found[] => findPersonalData(text))
report("tuneloop", ours, ["phone", "email", "iban", "card", "ssn", "secret"])
if (python !== undefined) report("presidio", presidio(python), ["phone", "email", "iban", "card", "ssn"])

function report(name: string, found: readonly (readonly Found[])[], kinds: readonly string[]): void {
  for (const kind of kinds) {
    const wanted = all.flatMap((each, at) => (each.thing?.kind === kind ? [{ ...each.thing, at }] : []))
    const isMet = ({ start, end }: Found, other: Found | undefined) =>
      other !== undefined && start < other.end && other.start < end
    const met = wanted.filter(({ at, ...thing }) => found[at]?.some((each) => each.kind === kind && isMet(each, thing)))
    const alarms = all.flatMap((each, at) =>
      (found[at] ?? []).flatMap((one) => {
        const isRight = each.thing?.kind === kind && isMet(one, each.thing)
        return one.kind === kind && !isRight ? [`${each.text.slice(one.start, one.end)} in: ${each.text}`] : []
      }),
    )
    const missed = wanted.filter((each) => !met.includes(each))
    process.stdout.write(
      `${name} ${kind}: ${met.length} of ${wanted.length} found (recall ${(met.length / wanted.length).toFixed(3)}), ` +
        `${alarms.length} false in ${all.length} texts (precision ` +
        `${(met.length / (met.length + alarms.length)).toFixed(3)})\n`,
    )
    if (!process.argv.includes("--show")) continue
    for (const { at } of missed.slice(0, 12)) process.stdout.write(`  missed: ${all[at]?.text}\n`)
    for (const alarm of alarms.slice(0, 12)) process.stdout.write(`  false: ${alarm}\n`)
  }
}

/** What Microsoft's presidio-analyzer finds by its recognizers alone, as they come. */
function presidio(interpreter: string): Found[][] {
  const script = join(import.meta.dirname, "personal-data-peers.py")
  const options = {
    input: JSON.stringify(all.map(({ text }) => text)),
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["pipe", "pipe", "ignore"],
  } as const
  return JSON.parse(execFileSync(interpreter, [script], { ...options, stdio: ["pipe", "pipe", "ignore"] })) as Found[][]
}
