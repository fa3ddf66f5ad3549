import { spawn } from "node:child_process"
import type { DatasetId } from "../../../src/core/rows/frozen-ids.ts"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { writePieces } from "../../../src/store/files/atomic-writer.ts"
import {
  createFolderAtomically,
  readLines,
  readText,
  toJsonLines,
  withFolder,
  writeAtomically,
} from "../../../src/store/files/files.ts"
import { SqliteLedger } from "../../../src/store/ledger/sqlite-ledger.ts"
import { TaskRows } from "../../../src/store/rows/task-rows.ts"
import { Versions, type PlannedVersion } from "../../../src/store/rows/versions.ts"
import { writeDigested } from "../../../src/store/files/staged-file.ts"
import { Workspace } from "../../../src/store/workspace.ts"

const newFolder = () => mkdtempSync(join(tmpdir(), "tuneloop-files-"))
const sources = join(import.meta.dirname, "..", "..", "..", "src")

describe("writing a file", () => {
  it("gives it the text and leaves nothing beside it, also over an older one", () => {
    const folder = newFolder()
    const file = join(folder, "new", "a.txt")
    writeAtomically(file, "one é")
    writeAtomically(file, "two")
    expect(readFileSync(file, "utf8")).toBe("two")
    expect(readdirSync(join(folder, "new"))).toEqual(["a.txt"])
  })

  it("that cannot be written keeps what it was, and leaves nothing beside it", () => {
    const folder = newFolder()
    mkdirSync(join(folder, "a"))
    writeFileSync(join(folder, "a", "kept"), "")
    expect(() => writeAtomically(join(folder, "a"), "text")).toThrow()
    expect(readdirSync(folder)).toEqual(["a"])
    expect(readdirSync(join(folder, "a"))).toEqual(["kept"])
  })

  it("into new folders leaves none of them when it fails, but those that something lies in", async () => {
    const folder = newFolder()
    const failing = (path: string, made?: string) =>
      withFolder(join(folder, path), async () => {
        if (made !== undefined) writeFileSync(join(folder, made), "")
        throw new Error("broken")
      })
    await expect(failing("a/b/c")).rejects.toThrow("broken")
    expect(readdirSync(folder)).toEqual([])
    await expect(failing("a/b/c", "a/other")).rejects.toThrow("broken")
    await expect(failing("a/b")).rejects.toThrow("broken")
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual(["a", join("a", "other")])
    expect(await withFolder(join(folder, "d"), async () => readdirSync(join(folder, "d")))).toEqual([])
  })

  it("removes what a killed write left more than a day ago, and nothing else", async () => {
    const folder = newFolder()
    const day = 24 * 60 * 60
    const made = [
      [".0123456789ab.tmp", 2 * day],
      [".ba9876543210.tmp", day - 600],
      [".mine.tmp", 9 * day],
      ["0123456789ab.tmp", 9 * day],
    ] as const
    mkdirSync(join(folder, ".aaaaaaaaaaaa.tmp"))
    writeFileSync(join(folder, ".aaaaaaaaaaaa.tmp", "half"), "")
    const age = (name: string, seconds: number) =>
      utimesSync(join(folder, name), Date.now() / 1000 - seconds, Date.now() / 1000 - seconds)
    age(".aaaaaaaaaaaa.tmp", 2 * day)
    for (const [name, seconds] of made) {
      writeFileSync(join(folder, name), "half")
      age(name, seconds)
    }
    writeAtomically(join(folder, "a.txt"), "text")
    expect(readdirSync(folder).sort()).toEqual([".ba9876543210.tmp", ".mine.tmp", "0123456789ab.tmp", "a.txt"])
    age(".ba9876543210.tmp", 2 * day)
    await createFolderAtomically(join(folder, "ds_1"), () => undefined)
    expect(readdirSync(folder)).not.toContain(".ba9876543210.tmp")
    // Also where a file is written piece by piece.
    writeFileSync(join(folder, ".cccccccccccc.tmp"), "half")
    age(".cccccccccccc.tmp", 2 * day)
    writePieces(join(folder, "b.txt"), ["te", "xt"])
    expect(readdirSync(folder).sort()).toEqual([".mine.tmp", "0123456789ab.tmp", "a.txt", "b.txt", "ds_1"])
  })

  it("keep what they held where the pieces of what follows end in an error", () => {
    const folder = newFolder()
    const file = join(folder, "a.txt")
    writePieces(file, ["before\n"])
    const pieces = function* () {
      yield "after".repeat(1e5)
      throw new Error("a line is no row")
    }
    expect(() => writePieces(file, pieces())).toThrow("a line is no row")
    expect([readdirSync(folder), readFileSync(file, "utf8")]).toEqual([["a.txt"], "before\n"])
  })

  it("says why when something is in the way", () => {
    const folder = newFolder()
    writeFileSync(join(folder, "file"), "")
    mkdirSync(join(folder, "folder"))
    expect(() => writeAtomically(join(folder, "folder"), "text")).toThrow(/folder: it is a folder/)
    for (const path of [join(folder, "file", "a.txt"), join(folder, "file", "deep", "a.txt")])
      expect(() => writeAtomically(path, "text")).toThrow(/a file stands where a folder must be/)
    expect(() => writeAtomically(join(folder, "x".repeat(300)), "text")).toThrow(/name is too long/)
    expect(readdirSync(folder).sort()).toEqual(["file", "folder"])
  })

  it("is never seen half-written by another process", { timeout: 30_000 }, async () => {
    const file = join(newFolder(), "a.txt")
    const texts = ["a".repeat(300_000), "b".repeat(200_000)]
    writeAtomically(file, texts[0] ?? "")
    const script = `import { writeAtomically } from ${JSON.stringify(join(sources, "store", "files", "files.ts"))}
      for (let i = 0; i < 100; i++) writeAtomically(process.argv[1], i % 2 ? "a".repeat(300_000) : "b".repeat(200_000))`
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script, file], { stdio: "inherit" })
    let isDone = false
    const ended = new Promise<number | null>((done) =>
      child.on("close", (code) => {
        isDone = true
        done(code)
      }),
    )
    const seen = new Set<string>()
    while (!isDone) {
      seen.add(readFileSync(file, "utf8"))
      await new Promise((done) => setImmediate(done))
    }
    expect(await ended).toBe(0)
    expect([...seen].filter((text) => !texts.includes(text))).toEqual([])
    expect(seen.size).toBe(2)
  })
})

describe("making a folder", () => {
  it("whose filling fails makes nothing; one that is there stays as it is", async () => {
    const folder = newFolder()
    const target = join(folder, "ds_1")
    const fail = () =>
      createFolderAtomically(target, (temporary) => {
        writeFileSync(join(temporary, "a"), "half")
        throw new Error("power cut")
      })
    await expect(fail()).rejects.toThrow("power cut")
    expect(readdirSync(folder)).toEqual([])
    await createFolderAtomically(target, (temporary) => writeFileSync(join(temporary, "a"), "first"))
    await createFolderAtomically(target, (temporary) => writeFileSync(join(temporary, "a"), "second"))
    expect(readFileSync(join(target, "a"), "utf8")).toBe("first")
    expect(readdirSync(folder)).toEqual(["ds_1"])
  })
})

describe("reading lines", () => {
  it("gives back what was written, whatever stands in it and wherever the file is cut into pieces", () => {
    const file = join(newFolder(), "a.jsonl")
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue()), { minLength: 1 }),
        fc.nat(3),
        (rows, wide) => {
          const padded = rows.map((row) => ({ row, padding: "é€".repeat(wide * 100_000) }))
          writeFileSync(file, toJsonLines(padded))
          expect([...readLines(file)].map(({ text }) => text)).toEqual(padded.map((row) => JSON.stringify(row)))
          expect([...readLines(file, { cutTornLine: true })]).toHaveLength(rows.length)
        },
      ),
      { numRuns: 20 },
    )
  })

  it("names a folder, a missing file and one that may not be read", () => {
    const folder = newFolder()
    expect(() => readText(folder)).toThrow(/is a folder/)
    expect(() => readText(join(folder, "none"))).toThrow(/there is no file .*none/)
    expect(() => [...readLines(folder)]).toThrow(/is a folder/)
    const secret = join(folder, "secret")
    writeFileSync(secret, "x")
    chmodSync(secret, 0)
    if (process.getuid?.() !== 0) expect(() => readText(secret)).toThrow(/cannot read/)
  })
})

describe("the rows of a task", () => {
  const rowsOf = (root: string) => new TaskRows(Workspace.open(root), "t")
  const seed = (id: string) => ({ id: `seed_${id.repeat(16)}`, input: { text: "x" }, output: "y" })

  it("with a broken line are refused with file and line, every problem at once", () => {
    const root = newFolder()
    const rows = rowsOf(root)
    writeAtomically(
      rows.seedsFile,
      `${JSON.stringify(seed("a"))}\n{"id":\n${JSON.stringify({ ...seed("b"), id: "seed_b", inputs: 1 })}\n`,
    )
    expect(() => rows.seeds()).toThrow(
      /datasets\/t\/seeds\.jsonl:2: not valid JSON[\s\S]*seeds\.jsonl:3: id: [\s\S]*seeds\.jsonl:3: inputs: unknown key; did you mean "input"/,
    )
  })

  it("with an id twice are refused: which one counts would depend on their order", () => {
    const rows = rowsOf(newFolder())
    rows.writeSeeds([seed("a"), seed("b"), seed("a")])
    expect(() => rows.seeds()).toThrow(/seeds\.jsonl:3: id: seed_a+ is already the id of row 1/)
  })

  it("keep the first split of an id: what is held out stays so when branches are merged", () => {
    const rows = rowsOf(newFolder())
    const at = (id: string, split: "train" | "test") => ({ id, split, stratum: "all" }) as const
    rows.addAssignments([at("seed_1", "test"), at("seed_2", "train")])
    rows.addAssignments([at("seed_1", "train"), at("seed_3", "train")])
    const splits = Object.fromEntries(rows.assignments().map(({ id, split }) => [id, split]))
    expect(splits).toEqual({ seed_1: "test", seed_2: "train", seed_3: "train" })
  })

  it("fold decisions by time, not by the names of files", () => {
    const rows = rowsOf(newFolder())
    const decision = (at: string, verdict: "accept" | "reject") =>
      ({ item: "cand_1", verdict, reviewer: "amara", guideline: "sha256:0", revision: "sha256:1", at }) as const
    rows.review.writeSession("b", [decision("2026-01-01T00:00:00Z", "accept")])
    rows.review.writeSession("a", [decision("2026-01-02T00:00:00Z", "reject")])
    expect(rows.review.decisions().map(({ verdict }) => verdict)).toEqual(["accept", "reject"])
  })
})

describe("dataset versions", () => {
  const example = {
    id: "ex_1",
    input: { text: "x" },
    output: "y",
    provenance: { parents: [], strategy: "gold", acceptedBy: "gold" },
  }
  const planned = (id: DatasetId): PlannedVersion => ({ manifest, leakChecks: ["exact"], idOf: () => id })
  const manifest: PlannedVersion["manifest"] = {
    schemaVersion: 1,
    task: "t",
    kind: "label",
    holdout: "hold_1",
    recipe: {},
    read: 1,
    kept: 1,
    dropped: {},
    conflicts: 0,
    flagged: {},
    personalData: { policy: "flag", rows: 0, found: {} },
  }
  const files = {
    train: async (path: string) => writeDigested(path, [`${JSON.stringify(example)}\n`]),
    dropped: async (path: string) => writeDigested(path, []),
    preferences: [],
    inspect: () => Promise.resolve(0),
  }

  it("are read back; a changed, torn or missing file is not", async () => {
    const versions = new Versions(Workspace.open(newFolder()), "t")
    for (const id of ["ds_1", "ds_2", "ds_3"] as const)
      expect((await versions.freezeVersion(planned(id), files))?.isNew).toBe(true)
    const again = await versions.freezeVersion(planned("ds_1"), files)
    expect(again).toEqual({ manifest: versions.manifest("ds_1"), isNew: false })
    expect(readdirSync(join(versions.folder("ds_1"), "..")).sort()).toEqual(["ds_1", "ds_2", "ds_3"])
    expect(versions.ids()).toEqual(["ds_1", "ds_2", "ds_3"])
    expect(versions.rows("ds_1", "train.jsonl")).toEqual([example])
    expect(versions.rows("ds_1", "dropped.jsonl")).toEqual([])
    const file = join(versions.folder("ds_2"), "train.jsonl")
    writeFileSync(file, readFileSync(file, "utf8").replace('"y"', '"z"'))
    writeFileSync(join(versions.folder("ds_3"), "train.jsonl"), "")
    for (const id of ["ds_2", "ds_3"] as const)
      expect(() => versions.rows(id, "train.jsonl")).toThrow(/not what its manifest says/)
    expect(() => versions.rows("ds_4", "train.jsonl")).toThrow(/no dataset version ds_4; it has: ds_1, ds_2, ds_3/)
  })

  it("are not there while a leak is found in their files, and nothing is left of them", async () => {
    const versions = new Versions(Workspace.open(newFolder()), "t")
    const seen: string[] = []
    const inspect = ({ train }: { readonly train: string }) => {
      seen.push(readFileSync(train, "utf8"))
      return Promise.resolve(1)
    }
    expect(await versions.freezeVersion(planned("ds_1"), { ...files, inspect })).toBeUndefined()
    expect(seen).toEqual([`${JSON.stringify(example)}\n`])
    expect(readdirSync(join(versions.folder("ds_1"), ".."))).toEqual([])
    await versions.freezeVersion(planned("ds_1"), files)
    expect(versions.manifest("ds_1").leaks).toEqual({ checks: ["exact"], found: 0 })
  })

  it("have a latest one, which must still be there", async () => {
    const versions = new Versions(Workspace.open(newFolder()), "t")
    expect(versions.latest()).toBeUndefined()
    await versions.freezeVersion(planned("ds_1"), files)
    versions.setLatest("ds_1")
    expect(versions.latest()).toBe("ds_1")
    writeFileSync(join(versions.folder("ds_1"), "..", "latest.json"), '{"version"')
    expect(() => versions.latest()).toThrow(/latest\.json names no dataset version/)
    writeFileSync(join(versions.folder("ds_1"), "..", "latest.json"), '{"version":"ds_1"}\n')
    versions.setLatest("ds_9")
    expect(versions.latest()).toBeUndefined()
  })
})

describe("the ledger", () => {
  it("a run and an opening of the test set are written down once", async () => {
    const ledger = SqliteLedger.open(join(newFolder(), "ledger.db"), () => new Date(0))
    for (let time = 0; time < 2; time++) {
      await ledger.runs.create({ run: "r", job: "j", task: "t", plan: "p" })
      await ledger.openings.record({ task: "t", holdout: "hold_1", evaluation: "eval_1", purpose: "verdict" })
    }
    await ledger.openings.record({ task: "t", holdout: "hold_1", evaluation: "eval_2", purpose: "verdict" })
    expect((await ledger.runs.events("r")).map(({ type }) => type)).toEqual(["planned"])
    expect((await ledger.openings.of("hold_1")).map(({ evaluation }) => evaluation)).toEqual(["eval_1", "eval_2"])
    await ledger.close()
  })

  it("a file that is no ledger is refused and kept", () => {
    const file = join(newFolder(), "ledger.db")
    writeFileSync(file, "not a database ".repeat(100))
    expect(() => SqliteLedger.open(file, () => new Date(0))).toThrow(/cannot open the ledger/)
    expect(existsSync(file) && readFileSync(file, "utf8").startsWith("not a database")).toBe(true)
  })
})
