import { spawn } from "node:child_process"
import { existsSync, openSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { Terminal } from "../../src/cli/terminal.ts"
import { packageRoot } from "../../src/cli/version.ts"
import { outcomeOf, rowsOf, sample, sampleWorkspace, tuneloop } from "../command-line.ts"

const main = join(packageRoot, "src", "cli", "main.ts")

describe("a stream that goes away", () => {
  it("is no error when it is stdout: `| head` takes what it wants", async () => {
    const { child, outcome } = tuneloop(sampleWorkspace(), ["schema", "task"])
    child.stdout?.destroy()
    expect(await outcome).toMatchObject({ code: 0, stderr: "" })
  })

  it("does not stop the work when it is stderr", async () => {
    const workspace = sampleWorkspace()
    const { child, outcome } = tuneloop(workspace, [
      "input",
      "import",
      "ticket-triage",
      sample("ticket-triage", "inputs.jsonl"),
      "--json",
    ])
    child.stderr?.destroy()
    const { code, stdout } = await outcome
    expect(code).toBe(0)
    expect(rowsOf(workspace, "inputs.jsonl")).toHaveLength((JSON.parse(stdout) as { added: number }).added)
  })

  it.runIf(existsSync("/dev/full"))(
    "is an error when it cannot take what is written: no empty file passes for an answer",
    async () => {
      const child = spawn(process.execPath, [main, "schema", "task"], {
        stdio: ["ignore", openSync("/dev/full", "w"), "pipe"],
      })
      const { code, stderr } = await outcomeOf(child)
      expect(code).toBe(1)
      expect(stderr).toMatch(/^error: cannot write to standard output: ENOSPC/)
    },
  )
})

describe("colours", () => {
  const real = { stdout: process.stdout.isTTY, stderr: process.stderr.isTTY }
  const terminals = (stdout: boolean, stderr: boolean) => {
    process.stdout.isTTY = stdout
    process.stderr.isTTY = stderr
  }
  afterEach(() => terminals(real.stdout, real.stderr))

  it.each([
    ["both on a terminal", true, true, {}, { colour: true, outputColour: true }],
    ["stdout in a file", false, true, {}, { colour: true, outputColour: false }],
    ["stderr in a file", true, false, {}, { colour: false, outputColour: true }],
    ["NO_COLOR", true, true, { NO_COLOR: "1" }, { colour: false, outputColour: false }],
    [
      "NO_COLOR without a value, which does not count",
      true,
      true,
      { NO_COLOR: "" },
      { colour: true, outputColour: true },
    ],
    ["TERM=dumb", true, true, { TERM: "dumb" }, { colour: false, outputColour: false, isTerminal: false }],
  ])("follow the stream they go to: %s", (_name, stdout, stderr, environment, expected) => {
    terminals(stdout, stderr)
    expect(new Terminal({}, environment)).toMatchObject(expected)
    expect(new Terminal({ color: false }, environment)).toMatchObject({ colour: false, outputColour: false })
  })
})

describe("who types a command for the first time", () => {
  it("may ask for help by the word as well", async () => {
    for (const words of [["build"], ["seed", "import"], []]) {
      const run = (...all: string[]) => outcomeOf(spawn(process.execPath, [main, ...all]))
      const [asked, usual] = await Promise.all([run("help", ...words), run(...words, "--help")])
      expect(asked).toEqual(usual)
      expect(asked.code).toBe(0)
    }
  })

  it("keeps a specification of their own when the quickstart is to run beside it", async () => {
    const workspace = sampleWorkspace()
    const file = join(workspace, "specs", "ticket-triage.yaml")
    writeFileSync(file, "task: ticket-triage\n")
    const { code, stdout, stderr } = await tuneloop(workspace, ["quickstart"]).outcome
    expect([code, stdout]).toEqual([2, ""])
    expect(stderr).toMatch(/ticket-triage\.yaml is not the one of this sample[\s\S]*another workspace/)
    expect(readFileSync(file, "utf8")).toBe("task: ticket-triage\n")
  })
})
