// `npm test`: every check and every test, with all set-up; ends with `N passed, N failed`. Names of steps may be given:
// check, fast, trainer, slow, and engines, which runs only when it is named.
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync } from "node:fs"
import { join, resolve } from "node:path"
import { trainerPython } from "../src/backends/_trainer-environment.ts"
import { packageRoot } from "../src/cli/host.ts"

const results = join(packageRoot, "test-results")
const wanted = process.argv.slice(2)
const totals = { passed: 0, failed: 0 }

rmSync(results, { recursive: true, force: true })
mkdirSync(results)
if (isWanted("check")) check()
if (isWanted("fast")) vitest("fast")
if (isWanted("trainer") || isWanted("slow") || isNamed("engines")) {
  const python = await trainerPython({
    environment: process.env,
    allowedHosts: [],
    fetch,
    now: () => new Date(),
    packageRoot,
    progress: (message) => process.stderr.write(`${message}\n`),
    sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
    signal: new AbortController().signal,
  })
  if (isWanted("trainer")) pytest(python)
  if (isWanted("slow")) vitest("slow")
  if (isNamed("engines")) vitest("engines")
}
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed\n`)
process.exit(totals.failed > 0 || totals.passed === 0 ? 1 : 0)

function isWanted(step: string): boolean {
  return wanted.length === 0 || isNamed(step)
}

function isNamed(step: string): boolean {
  return wanted.includes(step)
}

/** Each tool is one check: passed or failed. */
function check(): void {
  const bin = (name: string) => resolve(packageRoot, "node_modules", ".bin", name)
  for (const [name, args] of [
    ["tsc", ["-p", join(packageRoot, "tsconfig.tests.json")]],
    ["tsc", ["-p", join(packageRoot, "tsconfig.page.json")]],
    ["biome", ["check", "--error-on-warnings", "."]],
    ["knip", []],
  ] as const) {
    const isGood = run(bin(name), args)
    process.stdout.write(`${isGood ? "ok    " : "FAILED"} ${name}\n`)
    totals[isGood ? "passed" : "failed"]++
  }
}

function vitest(project: string): void {
  const output = join(results, `${project}.json`)
  run(process.execPath, [
    join(packageRoot, "node_modules", "vitest", "vitest.mjs"),
    "run",
    "--project",
    project,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${output}`,
  ])
  count(() => {
    const report = JSON.parse(readFileSync(output, "utf8")) as {
      numPassedTests: number
      numFailedTests: number
      numFailedTestSuites: number
    }
    // A file that cannot be loaded has no tests to fail: it counts as one.
    return {
      passed: report.numPassedTests,
      failed: Math.max(report.numFailedTests, report.numFailedTestSuites > 0 && report.numFailedTests === 0 ? 1 : 0),
    }
  })
}

function pytest(python: string): void {
  const output = join(results, "trainer.xml")
  run(python, [
    "-m",
    "pytest",
    "-q",
    "-p",
    "no:cacheprovider",
    `--junitxml=${output}`,
    join(packageRoot, "trainer", "tests"),
  ])
  count(() => {
    const report = readFileSync(output, "utf8")
    const attribute = (name: string) => Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(report)?.[1] ?? 0)
    const failed = attribute("failures") + attribute("errors")
    return { passed: attribute("tests") - failed - attribute("skipped"), failed }
  })
}

/** A report that is missing or has no test at all is a failure. */
function count(read: () => { passed: number; failed: number }): void {
  let found = { passed: 0, failed: 1 }
  try {
    found = read()
  } catch {
    process.stderr.write("the test runner left no report\n")
  }
  totals.passed += found.passed
  totals.failed += found.failed + (found.passed + found.failed === 0 ? 1 : 0)
}

function run(command: string, args: readonly string[]): boolean {
  return (
    spawnSync(command, args, {
      cwd: packageRoot,
      stdio: "inherit",
      env: { ...process.env, NO_COLOR: "1", HF_HUB_OFFLINE: "1" },
    }).status === 0
  )
}
