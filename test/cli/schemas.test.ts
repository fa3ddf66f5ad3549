import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { beforeEach, describe, expect, it } from "vitest"
import { sampleWorkspace, snapshot, tuneloop } from "../command-line.ts"

let workspace = ""
const file = (name: string) => join(workspace, "schemas", `${name}.json`)
const text = (name: string) => readFileSync(file(name), "utf8")
const run = async (...words: string[]) => {
  const { code, stdout, stderr } = await tuneloop(workspace, words).outcome
  expect(code, stderr).toBe(0)
  return { stdout, stderr }
}

beforeEach(async () => {
  workspace = join(mkdtempSync(join(tmpdir(), "tuneloop-test-")), "new")
  await run("init", workspace, "--workspace", tmpdir())
})

describe("the schemas that editors complete a workspace's files by", () => {
  it("are where the first line of the file says, in git, so that a colleague's clone has them", async () => {
    execFileSync("git", ["init", "-q"], { cwd: workspace })
    const kept = execFileSync("git", ["ls-files", "--others", "--exclude-standard"], {
      cwd: workspace,
      encoding: "utf8",
    }).split("\n")
    for (const name of ["task", "job", "workspace"]) {
      expect(kept).toContain(`schemas/${name}.json`)
      expect(JSON.parse(text(name))).toMatchObject({ $schema: expect.stringContaining("json-schema.org") })
    }
    const line = /\$schema=(\S+)/.exec(readFileSync(join(workspace, "tuneloop.yaml"), "utf8"))?.[1] ?? ""
    expect(existsSync(join(dirname(join(workspace, "tuneloop.yaml")), line))).toBe(true)
    expect((await run("init", workspace)).stdout).toContain("unchanged")
  })

  it("are made beside a .gitignore that is there already, and the person is told what to add to it", async () => {
    writeFileSync(join(workspace, ".gitignore"), "node_modules/\n")
    expect((await run("init", workspace)).stderr).toMatch(/\.gitignore.*\.tuneloop\//)
    expect(readFileSync(join(workspace, ".gitignore"), "utf8")).toBe("node_modules/\n")
  })

  it("follow the tool's version, and never go back to an older one", async () => {
    const current = text("task")
    const ofVersion = (version: string) =>
      writeFileSync(file("task"), `{\n  "$comment": "Tuneloop ${version}; x",\n  "type": "object"\n}\n`)
    ofVersion("0.0.9")
    expect((await run("spec", "check")).stderr).toContain("schemas/task.json")
    expect(text("task")).toBe(current)
    expect((await run("spec", "check")).stderr).not.toContain("schemas")
    ofVersion("0.10.0")
    const newer = text("task")
    await run("spec", "check")
    await run("init", workspace)
    expect(text("task")).toBe(newer)
  })

  it("never take the place of a file that somebody else wrote", async () => {
    writeFileSync(file("job"), '{"title": "Jobs of our own service"}\n')
    expect((await run("spec", "check")).stderr).not.toContain("schemas/job.json")
    expect((await run("init", workspace)).stderr).toContain("schemas/job.json is not Tuneloop's")
    expect(text("job")).toBe('{"title": "Jobs of our own service"}\n')
  })

  it("are made again by init alone: a workspace that wants none has none", async () => {
    rmSync(join(workspace, "schemas"), { recursive: true })
    await run("spec", "check")
    expect(existsSync(join(workspace, "schemas"))).toBe(false)
    expect((await run("init", workspace)).stdout).toContain("schemas/job.json")
    workspace = sampleWorkspace()
    const before = snapshot(workspace)
    await run("spec", "check")
    expect(snapshot(workspace)).toEqual(before)
  })
})
