import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { packageRoot } from "../../../src/cli/version.ts"
import { Workspace } from "../../../src/store/workspace.ts"

const folderOf = () => realpathSync(mkdtempSync(join(tmpdir(), "tuneloop-where-")))

/** Runs a command where the user is, without a word of which workspace. */
function at(folder: string, ...words: readonly string[]) {
  const { TUNELOOP_WORKSPACE: _, ...inherited } = process.env
  const environment = { ...inherited, NO_COLOR: "1", INIT_CWD: folder, TUNELOOP_PYTHON: "/nonexistent/python" }
  const main = join(packageRoot, "src", "cli", "main.ts")
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], {
    env: environment,
    encoding: "utf8",
  })
  return { code: status, stdout, stderr }
}

const specification = `task: mail
kind: label
description: Sort mail.
input: { body: {} }
output: { labels: { a: one, b: two } }
`

function workspace(): string {
  const folder = folderOf()
  mkdirSync(join(folder, "specs"))
  mkdirSync(join(folder, "datasets", "mail"), { recursive: true })
  writeFileSync(join(folder, "specs", "mail.yaml"), specification)
  return folder
}

describe("the workspace", () => {
  it("is found from a folder within it", () => {
    const folder = workspace()
    expect(at(join(folder, "datasets", "mail"), "spec", "check", "--json")).toMatchObject({ code: 0 })
    writeFileSync(join(folder, "gold.csv"), "body,output\nwhere is it,a\n")
    const imported = at(join(folder, "datasets"), "seed", "import", "mail", "../gold.csv")
    expect(imported).toMatchObject({ code: 0 })
    expect(existsSync(join(folder, "datasets", "mail", "seeds.jsonl"))).toBe(true)
    expect(at(join(folder, "specs"), "config", "show").stdout).toContain("a folder above")
  })

  it("is none in any other folder, and the error says what to do", () => {
    const empty = folderOf()
    for (const words of [["status"], ["spec", "check"], ["config", "show"], ["build", "mail"]])
      expect(at(empty, ...words)).toMatchObject({ code: 2, stdout: "" })
    const { stderr } = at(empty, "status")
    expect(stderr).toContain(`no workspace here: neither ${empty} nor a folder above it has a tuneloop.yaml or specs/`)
    expect(stderr).toContain("tuneloop init my-workspace")
    expect(at(empty, "doctor").stdout).toContain("none here")
    expect(existsSync(join(empty, ".tuneloop"))).toBe(false)
  })

  it("is not the folder of somebody else's specifications above", () => {
    const above = folderOf()
    mkdirSync(join(above, "specs"))
    writeFileSync(join(above, "specs", "openapi.yaml"), "openapi: 3.1.0\n")
    mkdirSync(join(above, "src"))
    expect(Workspace.find(join(above, "src"))).toBeUndefined()
    writeFileSync(join(above, "tuneloop.yaml"), "")
    expect(Workspace.find(join(above, "src"))).toBe(above)
    // The nearest one counts.
    mkdirSync(join(above, "src", "specs"))
    writeFileSync(join(above, "src", "specs", "mail.yaml"), specification)
    expect(Workspace.find(join(above, "src"))).toBe(join(above, "src"))
  })
})

it("init --sample brings a specification and a job that are valid, and writes over none", () => {
  const folder = folderOf()
  expect(at(folder, "init", "w", "--sample").stdout).toContain("specs/ticket-triage.yaml")
  const made = join(folder, "w")
  expect(at(made, "spec", "check").code).toBe(0)
  expect(at(made, "job", "check", "ticket-triage", "--json").stdout).toContain("ticket-triage")
  writeFileSync(join(made, "specs", "ticket-triage.yaml"), specification.replace("mail", "ticket-triage"))
  at(folder, "init", "w", "--sample")
  expect(readFileSync(join(made, "specs", "ticket-triage.yaml"), "utf8")).toContain("Sort mail.")
})

describe("completion", () => {
  const bash = at(folderOf(), "completion", "bash").stdout
  const complete = (folder: string, ...words: readonly string[]) =>
    execFileSync(
      "bash",
      [
        "-c",
        `${bash}\nCOMP_WORDS=(tuneloop "$@"); COMP_CWORD=$#; _tuneloop; printf '%s\\n' "\${COMPREPLY[@]}"`,
        "x",
        ...words,
      ],
      { cwd: folder, encoding: "utf8" },
    )
      .split("\n")
      .filter((word) => word !== "")

  it("knows commands, their parts, their options, tasks and jobs", () => {
    const folder = workspace()
    expect(complete(folder, "bui")).toEqual(["build"])
    expect(complete(folder, "seed", "")).toContain("import")
    expect(complete(folder, "seed", "import", "--ski")).toEqual(["--skip-invalid"])
    expect(complete(folder, "seed", "import", "ma")).toEqual(["mail"])
    expect(complete(folder, "--json", "dataset", "ca")).toEqual(["card"])
    expect(complete(folder, "train", "")).not.toContain("mail")
  })

  it("comes for other shells too, and says which", () => {
    expect(at(folderOf(), "completion", "zsh").stdout).toContain("compdef _tuneloop tuneloop")
    const fish = at(folderOf(), "completion", "fish").stdout
    expect(fish).toContain("-a build -d 'clean, deduplicate, check for leaks and freeze a dataset version'")
    expect(fish).toContain("__fish_seen_subcommand_from seed; and not __fish_seen_subcommand_from import")
    expect(at(folderOf(), "completion", "tcsh")).toMatchObject({ code: 2 })
  })
})
