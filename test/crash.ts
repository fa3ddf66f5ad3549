// `npm run test:crash [-- --kills 100 --seed 1 --only PART,...]`: kills the growing of examples 100 times at random
// moments, and a submit and a deployment 100 times at each point of each service, and says what came of it. The parts
// are `growing`, the services, `deployment`, `erase` (an erasure beside each command, half of them killed) and `imports`.
import { parseArgs } from "node:util"
import { brokenPromises, crashes } from "./stages/asking/asking-crash.ts"
import { crash as crashDeployment, killPoints as deploymentPoints } from "./stages/deploying/deploy-crash.ts"
import { erasedBeside, importedTwice } from "./stages/pairs-crash.ts"
import { crash, killPoints, services } from "./stages/training/submit-crash.ts"

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    only: { type: "string", multiple: true },
  },
})
const [kills, seed] = [Number(values.kills), Number(values.seed)]
const parts: Readonly<Record<string, () => Promise<string[]>>> = {
  growing,
  ...Object.fromEntries(Object.keys(services).map((service) => [service, () => submits(service)])),
  deployment: deployments,
  erase: () => erasedBeside(Math.ceil(kills / 20), seed, (line) => process.stdout.write(`${line}\n`)),
  imports: () => importedTwice(Math.ceil(kills / 20)),
}
const chosen = values.only?.flatMap((names) => names.split(",")) ?? Object.keys(parts)
const unknown = chosen.filter((name) => !Object.hasOwn(parts, name))
if (unknown.length > 0 || !(kills > 0))
  throw new Error(
    `unknown: ${unknown.join(", ") || `--kills ${values.kills}`}; parts: ${Object.keys(parts).join(", ")}`,
  )

const start = performance.now()
const broken: string[] = []
for (const name of chosen) broken.push(...((await parts[name]?.()) ?? []))
process.stdout.write(
  `${broken.length === 0 ? "every promise was kept" : broken.join("\n")} (${chosen.join(", ")}; seed ${seed}, ` +
    `${Math.round((performance.now() - start) / 1000)} s)\n`,
)
process.exit(broken.length === 0 ? 0 : 1)

/** What was broken by kills in the midst of growing. */
async function growing(): Promise<string[]> {
  const summary = await crashes(kills, seed, (line) => process.stderr.write(`${line}\n`))
  for (const [name, value] of Object.entries(summary))
    process.stdout.write(`${name.padEnd(24)}${Number.isInteger(value) ? value : value.toFixed(4)}\n`)
  return brokenPromises(summary)
}

/** What was broken by kills in the midst of a submit. */
function submits(service: string): Promise<string[]> {
  return killedAt(service, Object.keys(killPoints), "one job each", (point, time) =>
    crash({ service, point, hasRival: time % 10 === 9, clockJumpMs: time % 10 === 4 ? -3_600_000 : 0 }),
  )
}

/** What was broken by kills in the midst of a deployment. */
function deployments(): Promise<string[]> {
  const promise = "nothing made twice, nothing left billing"
  return killedAt("deployment", Object.keys(deploymentPoints), promise, (point) => crashDeployment(point))
}

/** Two at a time at each point; what was broken, of a part whose promise is said with how often it was kept. */
async function killedAt(
  part: string,
  points: readonly string[],
  promise: string,
  kill: (point: string, time: number) => Promise<void>,
): Promise<string[]> {
  const failures: string[] = []
  for (const point of points) {
    let kept = 0
    const attempts = async (first: number) => {
      for (let time = first; time < kills; time += 2)
        await kill(point, Math.floor(time / 2)).then(
          () => (kept += 1),
          (error: Error) => failures.push(`${part}, ${point}: ${error.message}`),
        )
    }
    await Promise.all([attempts(0), attempts(1)])
    process.stdout.write(`${part}: ${point}: ${kept} kills, ${promise}\n`)
  }
  return failures
}
