import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { afterAll, expect, test } from "vitest"

const root = join(import.meta.dirname, "..", "..")
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A checkout that asks for one package and an optional one, with an npm that installs the first. */
function checkout(): string {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-setup-"))
  folders.push(folder)
  for (const path of ["src/cli", "bin"]) mkdirSync(join(folder, path), { recursive: true })
  copyFileSync(join(root, "src", "cli", "setup.mjs"), join(folder, "src", "cli", "setup.mjs"))
  writeFileSync(join(folder, "hello.mjs"), 'process.stdout.write("hello\\n")')
  lock(folder, "sha512-1")
  writeFileSync(
    join(folder, "bin", "npm"),
    '#!/bin/sh\necho "npm $*" >&2\nmkdir -p node_modules/node/bin\n' +
      `ln -sf ${process.execPath} node_modules/node/bin/node\n` +
      "cp package-lock.json node_modules/.package-lock.json\n",
    { mode: 0o755 },
  )
  return folder
}

function lock(folder: string, integrity: string): void {
  const packages = {
    "": { name: "made" },
    "node_modules/a": { version: "1.0.0", integrity },
    "node_modules/other-platform": { version: "1.0.0", integrity: "sha512-2", optional: true },
  }
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages }))
}

function hello(folder: string): { out: string; installs: number } {
  const PATH = `${join(folder, "bin")}${delimiter}${dirname(process.execPath)}${delimiter}${process.env["PATH"]}`
  const command = [join(folder, "src", "cli", "setup.mjs"), "hello.mjs"]
  const { stdout, stderr } = spawnSync(process.execPath, command, { env: { PATH }, encoding: "utf8" })
  return { out: stdout, installs: stderr.split("npm ci").length - 1 }
}

test("a fresh clone installs its packages once", () => {
  const folder = checkout()
  expect(hello(folder)).toEqual({ out: "hello\n", installs: 1 })
  expect(hello(folder)).toEqual({ out: "hello\n", installs: 0 })
})

test("whoever ran npm themselves installs nothing again, though an optional package is for another platform", () => {
  const folder = checkout()
  mkdirSync(join(folder, "node_modules", "node", "bin"), { recursive: true })
  symlinkSync(process.execPath, join(folder, "node_modules", "node", "bin", "node"))
  const packages = { "node_modules/a": { version: "1.0.0", integrity: "sha512-1" } }
  writeFileSync(join(folder, "node_modules", ".package-lock.json"), JSON.stringify({ packages }))
  expect(hello(folder)).toEqual({ out: "hello\n", installs: 0 })
})

test("another lock file, as after a pull, installs again", () => {
  const folder = checkout()
  hello(folder)
  lock(folder, "sha512-3")
  expect(hello(folder)).toEqual({ out: "hello\n", installs: 1 })
})

test("packages without Node 24 are installed again", () => {
  const folder = checkout()
  hello(folder)
  rmSync(join(folder, "node_modules", "node"), { recursive: true })
  expect(hello(folder)).toEqual({ out: "hello\n", installs: 1 })
})
