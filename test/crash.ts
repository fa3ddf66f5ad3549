// `npm run test:crash [kills] [seed]`: kills the growing of examples 100 times at random moments and says what came of
// it.
import { brokenPromises, crashes } from "./stages/asking/asking-crash.ts"

const kills = Number(process.argv[2] ?? 100)
const seed = Number(process.argv[3] ?? 1)
const start = performance.now()
const summary = await crashes(kills, seed, (line) => process.stderr.write(`${line}\n`))
for (const [name, value] of Object.entries(summary))
  process.stdout.write(`${name.padEnd(24)}${Number.isInteger(value) ? value : value.toFixed(4)}\n`)
const broken = brokenPromises(summary)
process.stdout.write(
  `${broken.length === 0 ? "every promise was kept" : broken.join("\n")} (seed ${seed}, ` +
    `${Math.round((performance.now() - start) / 1000)} s)\n`,
)
process.exit(broken.length === 0 ? 0 : 1)
