import { readdirSync } from "node:fs"
import { join } from "node:path"
import type { Command } from "commander"
import { expect, test } from "vitest"
import { Host } from "../../src/cli/host.ts"
import { buildProgram } from "../../src/cli/program.ts"
import { sampleWorkspace, tuneloop } from "../command-line.ts"

const golden = join(import.meta.dirname, "..", "golden", "help")
const program = await buildProgram([], new Host([]), true)
const helps = new Map([
  ["tuneloop", helpOf(await buildProgram([], undefined))],
  ...program.commands.flatMap((command) => [
    [command.name(), helpOf(command)] as const,
    ...command.commands.map((part) => [`${command.name()}-${part.name()}`, helpOf(part)] as const),
  ]),
])

test.each([...helps])(
  "%s --help says what it said before (vitest -u takes a wished change over)",
  async (name, text) => {
    await expect(text).toMatchFileSnapshot(join(golden, `${name}.txt`))
  },
)

test("no help is kept of a command that is gone", () => {
  expect(readdirSync(golden).sort()).toEqual([...helps.keys()].map((name) => `${name}.txt`).sort())
})

test("every line fits a terminal of 80 columns", () => {
  const wide = [...helps].flatMap(([name, text]) =>
    text.split("\n").flatMap((line) => (line.length > 80 ? [`${name}: ${line}`] : [])),
  )
  expect(wide).toEqual([])
})

test("every command, argument and option says what it is for", () => {
  for (const command of program.commands.flatMap((parent) => [parent, ...parent.commands])) {
    expect(command.description(), command.name()).not.toBe("")
    for (const part of [...command.options, ...command.registeredArguments])
      expect(part.description, `${command.name()} ${part.name()}`).not.toBe("")
  }
})

test.each([["tuneloop", []] as const, ["review-export", ["review", "export"]] as const, ["build", ["build"]] as const])(
  "the process prints %s's help to stdout and ends well, without a workspace",
  async (name, words) => {
    const { code, stdout, stderr } = await tuneloop(join(sampleWorkspace(), "nowhere"), [...words, "--help"]).outcome
    expect([code, stderr]).toEqual([0, ""])
    expect(stdout.trimEnd()).toBe(helps.get(name)?.trimEnd())
  },
)

/** What `--help` prints. */
function helpOf(command: Command): string {
  let text = ""
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp()
  return text
}
