import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { forgetAnswers, remembered, type Sources } from "../../../src/store/rows/remembered.ts"
import { withLockAcross } from "../../../src/store/files/lock.ts"
import { Workspace } from "../../../src/store/workspace.ts"

class Asked {
  readonly folder = mkdtempSync(join(tmpdir(), "tuneloop-remembered-"))
  readonly workspace = Workspace.open(this.folder)
  readonly rows = this.path("rows.jsonl")
  asked: unknown = 1
  made = 0
  whileMaking: () => void = () => undefined

  constructor() {
    writeFileSync(this.rows, "abc\n")
    mkdirSync(this.path(".tuneloop"))
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  /** What the file says, and the how many-th time it was looked at. */
  async ask(more: Partial<Sources> = {}): Promise<string> {
    const files = () => [this.rows, this.path("later.jsonl")]
    const answer = await remembered(this.workspace, "task", "answer", { asked: this.asked, files, ...more }, () => {
      this.made += 1
      const text = readFileSync(this.rows, "utf8")
      this.whileMaking()
      return { text, made: this.made }
    })
    return `${answer.text.trim()} ${answer.made}`
  }

  get answerFile(): string {
    return join(this.workspace.cacheFolder, "answers", "task", "answer.json")
  }
}

test("an answer is made once for the same bytes, and anew where a file is other, gone or new", async () => {
  const one = new Asked()
  expect([await one.ask(), await one.ask()]).toEqual(["abc 1", "abc 1"])
  writeFileSync(one.rows, "abd\n")
  expect(await one.ask()).toBe("abd 2")
  writeFileSync(one.path("later.jsonl"), "")
  expect(await one.ask()).toBe("abd 3")
  rmSync(one.path("later.jsonl"))
  expect(await one.ask()).toBe("abd 4")
  one.asked = 2
  expect([await one.ask(), await one.ask()]).toEqual(["abd 5", "abd 5"])
})

test("an edit in the same second that keeps size, time and name is seen", async () => {
  const one = new Asked()
  const { atime, mtime } = statSync(one.rows)
  await one.ask()
  writeFileSync(one.rows, "xyz\n")
  utimesSync(one.rows, atime, mtime)
  expect(await one.ask()).toBe("xyz 2")
})

test("what was read before somebody edited the file is not kept for what the file says then", async () => {
  const one = new Asked()
  one.whileMaking = () => writeFileSync(one.rows, "new\n")
  expect(await one.ask()).toBe("abc 1")
  one.whileMaking = () => undefined
  expect([await one.ask(), await one.ask()]).toEqual(["new 2", "new 2"])
})

test("what the work itself writes is taken as it leaves it, and a later edit of that is seen", async () => {
  const one = new Asked()
  const result = one.path("result.jsonl")
  const written = { written: () => [result] }
  one.whileMaking = () => writeFileSync(result, "made\n")
  expect([await one.ask(written), await one.ask(written)]).toEqual(["abc 1", "abc 1"])
  writeFileSync(result, "hand\n")
  expect(await one.ask(written)).toBe("abc 2")
})

test.each([
  ["cut off", (text: string) => text.slice(0, -9)],
  ["edited", (text: string) => text.replace("abc", "abd")],
  ["empty", () => ""],
])("a kept answer that is %s is made anew", async (_, spoil) => {
  const one = new Asked()
  await one.ask()
  writeFileSync(one.answerFile, spoil(readFileSync(one.answerFile, "utf8")))
  expect([await one.ask(), await one.ask()]).toEqual(["abc 2", "abc 2"])
})

test("where nothing may be written the answer is made each time", async () => {
  const one = new Asked()
  writeFileSync(join(one.folder, ".tuneloop", "cache"), "a file where the folder would be")
  expect([await one.ask(), await one.ask()]).toEqual(["abc 1", "abc 2"])
  rmSync(join(one.folder, ".tuneloop"), { recursive: true })
  expect(await one.ask()).toBe("abc 3")
  expect(readdirSync(one.folder)).toEqual(["rows.jsonl"])
})

test("while a command changes the task nothing is kept, so that an erasure leaves no answer behind", async () => {
  const one = new Asked()
  await withLockAcross(one.workspace.lockFile("task"), "the task", async () => {
    expect(await one.ask()).toBe("abc 1")
    forgetAnswers(one.workspace, "task")
  })
  expect(existsSync(one.answerFile)).toBe(false)
  expect(await one.ask()).toBe("abc 2")
})
