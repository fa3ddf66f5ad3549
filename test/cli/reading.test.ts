import { spawnSync } from "node:child_process"
import { chmodSync, existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { SqliteLedger } from "../../src/store/ledger/sqlite-ledger.ts"
import { packageRoot } from "../../src/cli/version.ts"
import { importSeeds, json, sample, sampleWorkspace, tuneloop } from "../command-line.ts"

const main = join(packageRoot, "src", "cli", "main.ts")

/** Every command that only reads, and those that would have read on before they found out that there is nothing. */
const reading: [string, number][] = [
  ["runs ls", 0],
  ["runs show latest", 2],
  ["runs watch latest", 2],
  ["runs logs latest", 2],
  ["runs cancel latest", 2],
  ["evaluate latest", 2],
  ["evaluate nothing", 2],
  ["status", 0],
  ["ledger verify", 0],
  ["doctor", 1],
  ["config show", 0],
  ["dataset ls", 0],
  ["dataset show ds_0000000000000000", 2],
  ["spec check", 0],
  ["review status ticket-triage", 0],
  ["expand ticket-triage --strategy recombine --dry-run", 0],
  ["train ticket-triage --dry-run", 1],
]

describe("a command that reads", () => {
  let workspace = ""
  beforeAll(() => {
    workspace = sampleWorkspace()
  })

  it.concurrent.each(reading)("(%s) leaves a workspace without a ledger as it is", async (words, expected) => {
    const before = everything(workspace)
    const { code, stderr } = await tuneloop(workspace, words.split(" ")).outcome
    expect(stderr).not.toContain("bug")
    expect(code, stderr).toBe(expected)
    expect(everything(workspace)).toEqual(before)
  })

  // Only the superuser can become nobody, and nobody must be able to read what we are made of.
  const asNobody = (...words: string[]) =>
    spawnSync(process.execPath, [main, ...words], {
      uid: 65534,
      gid: 65534,
      encoding: "utf8",
      env: { PATH: "", HOME: "/nonexistent", NO_COLOR: "1" },
    })
  it.runIf(process.getuid?.() === 0 && asNobody("--version").status === 0)(
    "also reads where nothing may be written, and a writer is told",
    async () => {
      const own = sampleWorkspace()
      await importSeeds(own)
      // So that something waits for a decision, and is to be written.
      await json(own, "input", "import", "ticket-triage", sample("ticket-triage", "inputs.jsonl"))
      const ledger = SqliteLedger.open(join(own, ".tuneloop", "ledger.db"), () => new Date(0))
      await ledger.runs.create({ run: "run-1", job: "ticket-triage", task: "ticket-triage", plan: "p" })
      await ledger.close()
      for (const name of ["", ...readdirSync(own, { recursive: true, encoding: "utf8" })])
        chmodSync(join(own, name), 0o555)
      const before = everything(own)
      for (const words of [
        ["runs", "ls"],
        ["runs", "show", "run-1"],
        ["status"],
        ["ledger", "verify"],
        ["review", "status", "ticket-triage"],
      ]) {
        const { status, stdout, stderr } = asNobody("--workspace", own, ...words)
        expect(status, stderr).toBe(0)
        expect(stdout).toMatch(/run-1|1 runs|open/)
      }
      for (const words of [
        ["build", "ticket-triage"],
        ["expand", "ticket-triage"],
        ["seed", "import", "house-style-reply", sample("house-style-reply", "seeds.jsonl")],
        ["review", "export", "ticket-triage", "--out", join(own, "review.csv")],
        ["init", own],
        ["init", join(own, "deeper")],
      ]) {
        const { status, stdout, stderr } = asNobody("--workspace", own, ...words)
        expect([status, stdout], stderr).toEqual([1, ""])
        expect(stderr).toMatch(/^error: not allowed to .*\n {2}Check/)
      }
      expect(everything(own)).toEqual(before)
      for (const [path, expected] of [
        ["specs", /^error: the system refused: EACCES.*specs.*\n {2}Check the permissions/],
        ["", /^error: not allowed to read the workspace .*\n {2}Check/],
      ] as const) {
        chmodSync(join(own, path), 0o700)
        const { status, stderr } = asNobody("--workspace", own, "status")
        expect([status, stderr]).toEqual([1, expect.stringMatching(expected)])
      }
    },
  )

  it("names a run by the beginning of its id, when it is one", async () => {
    const own = sampleWorkspace()
    const ledger = SqliteLedger.open(join(own, ".tuneloop", "ledger.db"), () => new Date(0))
    for (const run of ["ticket-triage-1", "ticket-triage-2", "order-1"])
      await ledger.runs.create({ run, job: "j", task: "ticket-triage", plan: run })
    await ledger.close()
    expect((await tuneloop(own, ["runs", "show", "order"]).outcome).stdout).toContain("order-1")
    expect((await tuneloop(own, ["runs", "logs", "order"]).outcome).stderr).toContain("order-1 has no log yet")
    for (const [given, expected] of [
      ["ticket", /2 runs begin with "ticket": ticket-triage-2, ticket-triage-1/],
      ["ordr-1", /no run "ordr-1".*did you mean "order-1"/],
    ] as const)
      for (const command of [["runs", "show"], ["evaluate"]]) {
        const { code, stderr } = await tuneloop(own, [...command, given]).outcome
        expect([code, stderr]).toEqual([2, expect.stringMatching(expected)])
      }
  })
})

describe("the ledger that is only read", () => {
  it("is empty and not made where there is none", async () => {
    const file = join(sampleWorkspace(), "deep", "ledger.db")
    const ledger = SqliteLedger.read(file, () => new Date(0))
    expect([await ledger.runs.list(), await ledger.verify()]).toEqual([[], []])
    await ledger.close()
    expect(existsSync(join(file, ".."))).toBe(false)
  })
})

/** The path of every file and folder. */
function everything(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()
}
