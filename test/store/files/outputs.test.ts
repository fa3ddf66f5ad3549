import { execFileSync } from "node:child_process"
import { mkdtempSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "vitest"
import { Outputs } from "../../../src/store/files/outputs.ts"

it("no device and no pipe is replaced by a file, not with --force either", () => {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-outputs-"))
  const [pipe, link, file] = ["pipe", "link", "file.jsonl"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  execFileSync("mkfifo", [pipe])
  symlinkSync("/dev/null", link)
  writeFileSync(file, "mine")
  const outputs = new Outputs(join(folder, "notes"))
  for (const taken of ["/dev/null", pipe, link])
    expect(() => outputs.require([taken], { force: true }), taken).toThrow("is a device or a pipe")
  expect(() => outputs.require([file], { force: false })).toThrow("there already")
  for (const free of [file, join(folder, "new"), folder, join(file, "below")])
    expect(() => outputs.require([free], { force: true }), free).not.toThrow()
})
