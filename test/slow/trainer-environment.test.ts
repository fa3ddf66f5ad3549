import { type ChildProcess, spawn } from "node:child_process"
import { hash } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buffer } from "node:stream/consumers"
import { pathToFileURL } from "node:url"
import { expect, test } from "vitest"
import { ZipFile } from "yazl"
import { packageRoot } from "../../src/cli/version.ts"
import { outcomeOf } from "../command-line.ts"
import { fillWithCode, misleading } from "../hostile/hostile-workspace.ts"

const environmentModule = join(packageRoot, "src", "backends", "_trainer-environment.ts")
const setUp = `
  import { trainerPython } from ${JSON.stringify(pathToFileURL(environmentModule).href)}
  const python = await trainerPython({
    environment: process.env,
    packageRoot: process.argv[1],
    progress: (message) => console.error(message),
    sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
    signal: new AbortController().signal,
  })
  console.log(python)
`

test(
  "a set-up killed with -9 is not done; two commands at once " + "then make it, by no file of the workspace",
  async () => {
    const { folder, start } = await place(["small @ WHEEL --hash=sha256:HASH"])
    const workspace = join(folder, "workspace")
    const ran = [fillWithCode(workspace), fillWithCode(folder)]
    const killed = start(misleading(workspace))
    const ended = outcomeOf(killed)
    const isBegun = (path: string) => existsSync(join(path, "bin", "python"))
    while (killed.exitCode === null && !attemptsIn(folder).some(isBegun))
      await new Promise((done) => setTimeout(done, 10))
    killed.kill("SIGKILL")
    await ended
    const attempt = attemptsIn(folder).find(isBegun) ?? expect.fail("no set-up began")
    expect(existsSync(join(attempt, "..", "complete"))).toBe(false)

    const outcomes = await Promise.all([
      outcomeOf(start(misleading(workspace))),
      outcomeOf(start(misleading(workspace))),
    ])
    const [python] = outcomes.map(({ code, stdout, stderr }) => {
      expect(code, stderr).toBe(0)
      return stdout.trim()
    })
    expect(outcomes[1]?.stdout.trim()).toBe(python)
    expect(attemptsIn(folder).map((path) => join(path, "bin", "python"))).toEqual([python])
    const small = await outcomeOf(spawn(python ?? "", ["-I", "-c", "import small; print(small.name)"]))
    expect(small.stdout.trim(), small.stderr).toBe("small")
    expect(ran.filter(existsSync).map((file) => readFileSync(file, "utf8"))).toEqual([])
    expect(readdirSync(join(attempt, "..")).filter((name) => name.startsWith("lock"))).toEqual([])
  },
)

test("what cannot be installed is named with its index, less the password, and nothing counts as done", async () => {
  const { folder, start } = await place([`missing-thing==1.0 --hash=sha256:${"0".repeat(64)}`])
  const { code, stderr } = await outcomeOf(start({ PIP_INDEX_URL: "http://me:hidden@127.0.0.1:9/simple" }))
  expect(code).not.toBe(0)
  expect(stderr).toMatch(/could not be made from http:\/\/127\.0\.0\.1:9\/simple: .*missing-thing/)
  expect(stderr).not.toContain("hidden")
  expect(attemptsIn(folder).map((path) => existsSync(join(path, "..", "complete")))).toEqual([false])
})

test("a requirement without a hash is not installed", async () => {
  const { folder, start } = await place(["small @ WHEEL"])
  const { code, stderr } = await outcomeOf(start())
  expect(code).not.toBe(0)
  expect(stderr).toMatch(/could not be made .*hash.*small/is)
  expect(existsSync(join(attemptsIn(folder)[0] ?? "", "..", "complete"))).toBe(false)
})

/** A package root with these requirements, a cache, and a workspace from which `start` makes the environment. */
async function place(requirements: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-environment-"))
  for (const name of ["trainer", "workspace"]) mkdirSync(join(folder, name))
  const wheel = join(folder, "small-1.0-py3-none-any.whl")
  writeFileSync(wheel, await smallWheel())
  const text = requirements
    .join("\n")
    .replace("WHEEL", pathToFileURL(wheel).href)
    .replace("HASH", hash("sha256", readFileSync(wheel), "hex"))
  writeFileSync(join(folder, "trainer", "requirements.txt"), `${text}\n`)
  const { TUNELOOP_PYTHON: _python, UV_DEFAULT_INDEX: _uv, PIP_INDEX_URL: _pip, ...inherited } = process.env
  const start = (environment: Readonly<Record<string, string>> = {}): ChildProcess =>
    spawn(process.execPath, ["--input-type=module", "-e", setUp, folder], {
      cwd: join(folder, "workspace"),
      env: { ...inherited, TUNELOOP_CACHE: join(folder, "cache"), ...environment },
    })
  return { folder, start }
}

async function smallWheel(): Promise<Buffer> {
  const zip = new ZipFile()
  const files = {
    "small.py": 'name = "small"\n',
    "small-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n",
    "small-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "small-1.0.dist-info/RECORD": "small.py,,\n",
  }
  for (const [name, text] of Object.entries(files)) zip.addBuffer(Buffer.from(text), name)
  zip.end()
  return buffer(zip.outputStream)
}

function attemptsIn(folder: string): string[] {
  const cache = join(folder, "cache")
  const made = existsSync(cache) ? readdirSync(cache).map((name) => join(cache, name)) : []
  return made.flatMap((path) =>
    readdirSync(path)
      .filter((name) => name.startsWith("venv-"))
      .map((name) => join(path, name)),
  )
}
