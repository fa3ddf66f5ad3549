import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readdirSync, renameSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { writeAtomically } from "../../../src/store/files/files.ts"
import { isTemporary } from "../../../src/store/files/temporaries.ts"

const writer = join(import.meta.dirname, "..", "..", "..", "src", "store", "files", "atomic-writer.ts")
const code = `
  const { AtomicWriter } = await import(${JSON.stringify(writer)})
  new AtomicWriter(process.argv[1]).write("half of it")
  process.stdout.write("begun")
  setInterval(() => undefined, 1000)
`

test.runIf(existsSync("/proc/self/stat"))(
  "what a killed process left is removed by the next write there, and nothing of one that is at work",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "tuneloop-temporaries-"))
    const left = () => readdirSync(folder).filter(isTemporary)
    const child = spawn(process.execPath, ["--input-type=module", "-e", code, join(folder, "rows.jsonl")])
    try {
      await once(child.stdout, "data")
      const [atWork] = left() as [string]
      writeAtomically(join(folder, "other.txt"), "text")
      expect(left()).toEqual([atWork])
      child.kill("SIGKILL")
      await once(child, "close")
      // The same of another machine, whose processes nobody sees from here, and one that does not say whose it is.
      const foreign = atWork.replace(/-[0-9a-f]{16}-/, "-0123456789abcdef-")
      writeFileSync(join(folder, foreign), "half")
      writeFileSync(join(folder, ".0123456789ab.tmp"), "half")
      writeAtomically(join(folder, "other.txt"), "text")
      expect(left().sort()).toEqual([foreign, ".0123456789ab.tmp"].sort())
      // The number of a process that is there, given to another one since.
      const reused = atWork.replace(/-\d+-\d+\.tmp$/, `-${process.pid}-1.tmp`)
      renameSync(join(folder, foreign), join(folder, reused))
      writeAtomically(join(folder, "other.txt"), "text")
      expect(left()).toEqual([".0123456789ab.tmp"])
    } finally {
      child.kill("SIGKILL")
    }
  },
)
