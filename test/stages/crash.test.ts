import { mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { sample, sampleWorkspace, snapshot, tuneloop } from "../command-line.ts"
import { seeded } from "../seeded.ts"

const task = "ticket-triage"
const steps = [
  ["seed", "import", task, sample(task, "seeds.jsonl")],
  ["input", "import", task, sample(task, "inputs.jsonl")],
  ["expand", task],
  ["review", "import", task, sample(task, "recorded-review.csv")],
  ["build", task],
]

let undisturbed = ""
let version = ""
/** How long each step takes here when nobody disturbs it. */
const usual: number[] = []
beforeAll(async () => {
  undisturbed = sampleWorkspace()
  for (const words of steps) {
    const start = performance.now()
    const { code, stdout, stderr } = await tuneloop(undisturbed, [...words, "--json"]).outcome
    expect(code, stderr).toBe(0)
    usual.push(performance.now() - start)
    version = (JSON.parse(stdout) as { version?: string }).version ?? version
  }
}, 120_000)

describe("a process that is killed and started again", () => {
  it("at any moment of any step ends with the version and the files of an undisturbed one", {
    timeout: 240_000,
  }, async () => {
    const workspace = sampleWorkspace()
    mkdirSync(join(workspace, "datasets"))
    const moment = seeded(20_261_124)
    for (const [index, words] of steps.entries()) {
      // Nothing is written before the modules are loaded, about half of the time. A kill that came too late, because
      // the machine was busier when the time was taken, is made up for by an earlier one.
      for (let kills = 0, share = 1; kills < 2; ) {
        const { child, outcome } = tuneloop(workspace, words)
        const timer = setTimeout(() => child.kill("SIGKILL"), (usual[index] ?? 0) * share * (0.5 + 0.5 * moment()))
        if ((await outcome).code === null) kills++
        else share *= 0.7
        clearTimeout(timer)
        expectWholeFiles(workspace)
      }
      await finish(workspace, words)
    }
    expectSame(workspace)
  })

  it("as soon as something is written ends the same way", { timeout: 240_000 }, async () => {
    const workspace = sampleWorkspace()
    const folder = join(workspace, "datasets")
    mkdirSync(folder)
    let killed = 0
    for (const words of steps) {
      const { child, outcome } = tuneloop(workspace, words)
      const watcher = watch(folder, { recursive: true }, () => child.kill("SIGKILL"))
      if ((await outcome).code === null) killed++
      watcher.close()
      expectWholeFiles(workspace)
      await finish(workspace, words)
    }
    expect(killed).toBeGreaterThan(2)
    expectSame(workspace)
  })

  it("takes nothing from the temporary files that a kill leaves behind", { timeout: 120_000 }, async () => {
    const workspace = sampleWorkspace()
    for (const words of steps) {
      for (const folder of [
        "",
        "candidates",
        "decisions",
        "versions",
        "holdouts",
        join("versions", ".0123456789ab.tmp"),
      ]) {
        mkdirSync(join(workspace, "datasets", task, folder), { recursive: true })
        writeFileSync(
          join(workspace, "datasets", task, folder, ".ba9876543210.tmp"),
          '{"id":"seed_0123456789abcdef","inp',
        )
      }
      await finish(workspace, words)
    }
    expectSame(workspace)
    const { stdout } = await tuneloop(workspace, ["dataset", "ls", "--json"]).outcome
    expect((JSON.parse(stdout) as { versions: { id: string }[] }).versions.map(({ id }) => id)).toEqual([version])
  })
})

async function finish(workspace: string, words: readonly string[]): Promise<void> {
  const { code, stderr } = await tuneloop(workspace, words).outcome
  expect(code, stderr).toBe(0)
}

/** Every file that has its final name is whole at any moment. */
function expectWholeFiles(workspace: string): void {
  const files = readdirSync(join(workspace, "datasets"), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name)
    if (isTemporary(path)) continue
    const text = readFileSync(path, "utf8")
    expect(text.endsWith("\n") || text === "", path).toBe(true)
    for (const line of name.endsWith(".jsonl") ? text.split("\n").filter((part) => part !== "") : [text])
      expect(() => JSON.parse(line), path).not.toThrow()
  }
}

function expectSame(workspace: string): void {
  const files = (root: string) =>
    snapshot(join(root, "datasets"), (path) => !isTemporary(path) && !path.includes("decisions"))
  expect(files(workspace)).toEqual(files(undisturbed))
  expect(Object.keys(files(workspace)).filter((path) => path.includes(version))).toHaveLength(3)
  expect(decisions(workspace)).toEqual(decisions(undisturbed))
  expect(decisions(workspace).length).toBeGreaterThan(50)
}

/** The decisions without their time, which is that of the import. */
function decisions(workspace: string): unknown[] {
  const folder = join(workspace, "datasets", task, "decisions")
  return readdirSync(folder)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").trimEnd().split("\n"))
    .map((line) => ({ ...(JSON.parse(line) as object), at: "" }))
}

function isTemporary(path: string): boolean {
  return /\/\.[0-9a-f]{12}[-0-9a-f]*\.tmp(\/|$)/.test(path)
}
