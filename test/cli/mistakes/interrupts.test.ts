import { mkdtempSync, readdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { describe, expect, it } from "vitest"
import { importSeeds, sampleWorkspace, snapshot, tuneloop } from "../../command-line.ts"

const task = "ticket-triage"
const data = (path: string) => !path.includes(".tuneloop")

/** So many rows of words that none repeats. */
function manyRows(folder: string, rows: number): string {
  const line = (row: number) => {
    const words = Array.from({ length: 14 }, (_, place) => ((row * 14 + place) * 2_654_435_761) % 4_294_967_291)
    return JSON.stringify({ input: { body: words.map((word) => word.toString(36)).join(" ") }, output: "payment" })
  }
  writeFileSync(join(folder, "many.jsonl"), `${Array.from({ length: rows }, (_, row) => line(row)).join("\n")}\n`)
  return join(folder, "many.jsonl")
}

describe("Ctrl-C", () => {
  // So many that no machine is done before the last interrupt.
  const many = manyRows(mkdtempSync(join(tmpdir(), "tuneloop-many-")), 400_000)

  it.each([1200, 2500, 4000])(
    "ends an import at once after %d ms, with nothing written",
    async (after) => {
      const workspace = sampleWorkspace()
      await importSeeds(workspace)
      const before = snapshot(workspace, data)
      const { child, outcome } = tuneloop(workspace, ["seed", "import", task, many])
      await setTimeout(after)
      const isDone = child.exitCode !== null
      const at = performance.now()
      child.kill("SIGINT")
      const { code, stderr } = await outcome
      if (isDone) return
      expect([code, stderr]).toEqual([130, "error: interrupted; nothing was written\n"])
      expect(performance.now() - at).toBeLessThan(3000)
      expect(snapshot(workspace, data)).toEqual(before)
    },
    60_000,
  )

  it("in dedup says that nothing was written", async () => {
    const workspace = sampleWorkspace()
    const { child, outcome } = tuneloop(workspace, ["dedup", many, "--out", join(workspace, "kept.jsonl")])
    await setTimeout(1500)
    const isDone = child.exitCode !== null
    child.kill("SIGINT")
    const { code, stderr } = await outcome
    if (isDone) return
    // On a busy machine the progress is said before.
    expect([code, stderr.replace(/^dedup: \d+ rows read\n/gm, "")]).toEqual([
      130,
      "error: interrupted; nothing was written\n",
    ])
    expect(readdirSync(workspace).filter((name) => name.includes("kept") || name.endsWith(".tmp"))).toEqual([])
  }, 60_000)
})

it.runIf(process.platform === "linux")(
  "a folder that cannot be made is an error that comes at once",
  async () => {
    const { code, stderr } = await tuneloop(tmpdir(), ["init", "/proc/x/y"]).outcome
    expect(code).toBe(1)
    expect(stderr).toContain("cannot write /proc/x")
  },
  20_000,
)
