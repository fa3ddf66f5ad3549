// `npm run test:crash [kills] [seed]`: kills the growing of examples 100 times at random moments, and a submit and a
// deployment 100 times at each point of each service, and says what came of it.
import { brokenPromises, crashes } from "./stages/asking/asking-crash.ts"
import { crash as crashDeployment, killPoints as deploymentPoints } from "./stages/deploying/deploy-crash.ts"
import { crash, killPoints, services } from "./stages/training/submit-crash.ts"

const kills = Number(process.argv[2] ?? 100)
const seed = Number(process.argv[3] ?? 1)
const start = performance.now()
const summary = await crashes(kills, seed, (line) => process.stderr.write(`${line}\n`))
for (const [name, value] of Object.entries(summary))
  process.stdout.write(`${name.padEnd(24)}${Number.isInteger(value) ? value : value.toFixed(4)}\n`)
const broken = [...brokenPromises(summary), ...(await submits()), ...(await deployments())]
process.stdout.write(
  `${broken.length === 0 ? "every promise was kept" : broken.join("\n")} (seed ${seed}, ` +
    `${Math.round((performance.now() - start) / 1000)} s)\n`,
)
process.exit(broken.length === 0 ? 0 : 1)

/** What was broken by kills in the midst of a submit, two at a time. */
async function submits(): Promise<string[]> {
  const failures: string[] = []
  for (const service of Object.keys(services))
    for (const point of Object.keys(killPoints)) {
      let kept = 0
      const attempt = async () => {
        for (let time = 0; time < kills / 2; time++)
          await crash({
            service,
            point,
            hasRival: time % 10 === 9,
            clockJumpMs: time % 10 === 4 ? -3_600_000 : 0,
          }).then(
            () => (kept += 1),
            (error: Error) => failures.push(`${service}, ${point}: ${error.message}`),
          )
      }
      await Promise.all([attempt(), attempt()])
      process.stdout.write(`${service}: ${point}: ${kept} kills, one job each\n`)
    }
  return failures
}

/** What was broken by kills in the midst of a deployment, two at a time. */
async function deployments(): Promise<string[]> {
  const failures: string[] = []
  for (const point of Object.keys(deploymentPoints)) {
    let kept = 0
    const attempt = async () => {
      for (let time = 0; time < kills / 2; time++)
        await crashDeployment(point).then(
          () => (kept += 1),
          (error: Error) => failures.push(`deployment, ${point}: ${error.message}`),
        )
    }
    await Promise.all([attempt(), attempt()])
    process.stdout.write(`deployment: ${point}: ${kept} kills, nothing made twice, nothing left billing\n`)
  }
  return failures
}
