import { execFileSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"

const root = join(import.meta.dirname, "..")
const npm = process.platform === "win32" ? "npm.cmd" : "npm"
let folder = ""
let files: string[] = []
let installed = ""

// The package as users get it: packed, and installed somewhere else.
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tuneloop-package-"))
  const [packed] = JSON.parse(
    run(npm, ["pack", "--json", "--pack-destination", folder], root).replace(/^[^[]*/, ""),
  ) as [{ filename: string; files: { path: string }[] }]
  files = packed.files.map(({ path }) => path).sort()
  const home = join(folder, "elsewhere")
  mkdirSync(home)
  writeFileSync(join(home, "package.json"), '{ "private": true }\n')
  run(
    npm,
    [
      "install",
      "--omit=dev",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
      "--engine-strict=false",
      join(folder, packed.filename),
    ],
    home,
  )
  installed = join(home, "node_modules", "tuneloop")
}, 180_000)

afterAll(() => {
  if (folder !== "") rmSync(folder, { recursive: true, force: true })
})

test("it holds the compiled code, the trainer, the sample and the documents, and nothing else", () => {
  for (const needed of [
    "dist/cli/main.js",
    "facts/licences.yaml",
    "facts/prices.yaml",
    "facts/sunsets.yaml",
    "trainer/train.py",
    "trainer/generate.py",
    "trainer/requirements.txt",
    "specs/ticket-triage.yaml",
    "jobs/ticket-triage.yaml",
    "datasets/ticket-triage/seeds.jsonl",
    "datasets/ticket-triage/inputs.jsonl",
    "datasets/ticket-triage/recorded-review.csv",
    "docs/how-it-works.md",
    "docs/specification.md",
    "docs/images/report.png",
    "LICENSE",
    "README.md",
  ])
    expect(files).toContain(needed)
  const allowed = [
    /^dist\/[a-z0-9/_-]+\.js$/,
    /^facts\/[a-z-]+\.yaml$/,
    /^trainer\/\w+\.py$/,
    /^trainer\/requirements\.txt$/,
    /^(specs|jobs)\/ticket-triage\.yaml$/,
    /^datasets\/ticket-triage\/[a-z-]+\.(jsonl|csv)$/,
    /^docs\/(decisions\/)?[A-Za-z0-9-]+\.md$/,
    /^docs\/(images\/[a-z]+\.png|schemas\/[a-z]+\.json)$/,
    /^(LICENSE|README\.md|package\.json)$/,
  ]
  expect(files.filter((file) => !allowed.some((pattern) => pattern.test(file)))).toEqual([])
})

test("it holds every part of the trainer and every module", () => {
  const parts = readdirSync(join(root, "trainer")).filter((name) => name.startsWith("_") && name.endsWith(".py"))
  expect(parts.length).toBeGreaterThan(0)
  for (const part of parts) expect(files).toContain(`trainer/${part}`)
  const modules = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  )
  for (const name of modules) expect(files).toContain(`dist/${name.replaceAll("\\", "/").replace(/\.ts$/, ".js")}`)
  const page = readdirSync(join(root, "src", "web", "page"))
  expect(page).toContain("review.js")
  for (const name of page) expect(files).toContain(`dist/web/page/${name}`)
})

test("installed elsewhere, it answers --help and --version", () => {
  expect(tuneloop("--help")).toContain("Start with: tuneloop quickstart")
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }
  expect(tuneloop("--version").trim()).toBe(version)
})

test("installed elsewhere, it checks a task and grows candidates in a workspace", () => {
  const workspace = join(folder, "workspace")
  tuneloop("init", workspace)
  for (const file of [join("specs", "ticket-triage.yaml"), join("jobs", "ticket-triage.yaml")])
    cpSync(join(installed, file), join(workspace, file))
  expect(tuneloop("spec", "check", "ticket-triage", "--workspace", workspace)).toContain(
    "specs/ticket-triage.yaml is valid",
  )
  tuneloop(
    "seed",
    "import",
    "ticket-triage",
    join(installed, "datasets", "ticket-triage", "seeds.jsonl"),
    "--workspace",
    workspace,
  )
  expect(tuneloop("expand", "ticket-triage", "--workspace", workspace)).toContain("passed every check")
})

/** The installed entry file, on the Node that runs the tests. */
function tuneloop(...words: readonly string[]): string {
  return run(process.execPath, [join(installed, "dist", "cli", "main.js"), ...words], folder)
}

/** What the command printed to stdout; a failure carries what it printed to stderr. */
function run(command: string, args: readonly string[], cwd: string): string {
  const { INIT_CWD: _cwd, npm_config_local_prefix: _prefix, ...environment } = process.env
  return execFileSync(command, args, {
    cwd,
    encoding: "utf8",
    env: { ...environment, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32" && command === npm,
  })
}
