import { describe, expect, it } from "vitest"
import {
  circles,
  codeOf,
  crowdedFolders,
  floors,
  machineFiles,
  longFiles,
  packagesLoadedWith,
  roomOf,
  sharedPackages,
  tree,
  wideLines,
  wideLinesLeft,
  type Tree,
  wrongImports,
  wrongPaths,
  wrongReaches,
  wrongSubRoomImports,
} from "./house-rules.ts"

describe("the house", () => {
  it("imports point down, rooms on a floor do not know each other, plug-ins are found by name", () => {
    expect(Object.keys(tree).length).toBeGreaterThan(100)
    expect(new Set(Object.keys(tree).map(roomOf))).toEqual(new Set(Object.keys(floors)))
    expect(wrongImports(tree)).toEqual([])
  })

  it("only the command line and the local runner touch the process, the clock, chance and the network", () => {
    expect(wrongReaches(tree)).toEqual([])
    expect(machineFiles.filter((file) => tree[file] === undefined)).toEqual([])
  })

  it("an SDK is known to one file of a room", () => {
    expect(sharedPackages(tree)).toEqual([])
  })

  it("sub-rooms point down, and no file imports its way back to itself", () => {
    expect(wrongSubRoomImports(tree)).toEqual([])
    expect(circles(tree)).toEqual([])
  })

  it("only the store knows paths and SQL", () => {
    expect(wrongPaths(tree)).toEqual([])
  })

  it("a thread that makes sketches loads no package: a tenth of a second for each is a tenth of a dedup", () => {
    expect(packagesLoadedWith(tree, "stages/dedup/sketch-batches.ts")).toEqual([])
    expect(packagesLoadedWith(tree, "core/parse.ts")).toEqual(["yaml", "zod"])
  })

  it("no folder has more files than a person can look over, no file is too long, no line too wide", () => {
    const all = codeOf("src", "test", "trainer", "bench", "docs", "assembly")
    expect(Object.keys(all).length).toBeGreaterThan(400)
    expect(crowdedFolders(Object.keys(all))).toEqual([])
    expect(longFiles(all)).toEqual([])
    const wide = wideLines(all)
    expect(wide.length, wide.join("\n")).toBeLessThanOrEqual(wideLinesLeft)
  })
})

describe("the rules of the house are red on", () => {
  it.each([
    ["an upward import", { "core/a.ts": 'import { build } from "../stages/build.ts"' }],
    [
      "an upward import over several lines",
      { "core/a.ts": 'import {\n  build,\n  type BuildResult,\n} from "../stages/build.ts"' },
    ],
    ["an upward type", { "core/a.ts": 'import type { BuildResult } from "../stages/build.ts"' }],
    ["an upward re-export", { "store/a.ts": 'export * from "../stages/build.ts"' }],
    ["an import for its side effect", { "core/a.ts": 'import "../cli/main.ts"' }],
    ["a dynamic import", { "evaluation/a.ts": 'const room = await import("../curation/hashing.ts")' }],
    ["a neighbour", { "curation/a.ts": 'import { decide } from "../evaluation/verdict.ts"' }],
    ["a plug-in by name", { "cli/commands/a.ts": 'import local from "../../backends/local.ts"' }],
    [
      "a plug-in in a stage, even its shared part",
      { "stages/a.ts": 'import { spawn } from "../backends/_processes.ts"' },
    ],
    ["a folder that is no room", { "helpers/a.ts": "" }],
    ["a way out of the house", { "cli/a.ts": 'import { x } from "../../test/x.ts"' }],
  ])("%s", (_name, files) => {
    expect(wrongImports(files as unknown as Tree)).toHaveLength(1)
  })

  it("and green on what is allowed", () => {
    const files = {
      "stages/a.ts":
        '/** import { x } from "../cli/x.ts" */\nimport { build } from "./build.ts"\n// import ' +
        '"../cli/main.ts"\nimport { digest } from "../core/canonical.ts"',
      "cli/commands/a.ts":
        'import { trainerPython } from "../../backends/_trainer-environment.ts"\nawait ' +
        "import(`../${room}/${name}${ending}`)",
    }
    expect(wrongImports(files)).toEqual([])
    expect(
      wrongReaches({
        "store/a.ts": "// new Date() is not read here\nconst at = new Date(0)\nconst url = 'https://x' // y",
      }),
    ).toEqual([])
  })

  it.each([
    "const at = Date.now()",
    "const at = new Date()",
    "const at = new Date().toISOString()",
    "const home = process.env.HOME",
    "const dice = Math.random()",
    'await fetch("https://example.com")',
  ])("%s outside the command line", (code) => {
    for (const room of ["core", "curation", "store", "stages", "models"])
      expect(wrongReaches({ [`${room}/a.ts`]: code })).toHaveLength(1)
    expect(wrongReaches({ "cli/a.ts": code })).toHaveLength(1)
    expect(wrongReaches({ "cli/machine.ts": code })).toEqual([])
  })

  it.each([
    ["a sub-room above", { "stages/standing/a.ts": 'import { build } from "../building/build.ts"' }],
    ["a sub-room beside", { "stages/asking/a.ts": 'import type { Plan } from "../training/plan.ts"' }],
    ["a sub-room from the room's own files", { "core/a.ts": 'import { example } from "./rows/example.ts"' }],
    ["a sub-room that is on no floor", { "stages/misc/a.ts": "" }],
    ["a folder in a room without sub-rooms", { "filters/more/a.ts": "" }],
  ])("%s", (_name, files) => {
    expect(wrongSubRoomImports(files as unknown as Tree)).toHaveLength(1)
  })

  it("a circle of files, types included, and only that", () => {
    const files = {
      "stages/a.ts": 'import { b } from "./b.ts"',
      "stages/b.ts": 'import { c } from "./c.ts"',
      "stages/c.ts": 'import type { A } from "./a.ts"',
      "stages/d.ts": 'import { a } from "./a.ts"\nimport { c } from "./c.ts"',
    }
    expect(circles(files)).toEqual([["stages/a.ts", "stages/b.ts", "stages/c.ts"]])
    expect(circles({ ...files, "stages/c.ts": "" })).toEqual([])
  })

  it("a crowded folder, a long file, a wide line", () => {
    const many = Array.from({ length: 26 }, (_, index) => `core/rows/${index}.ts`)
    expect(crowdedFolders(many)).toEqual(["core/rows: 26 files"])
    expect(crowdedFolders(many.slice(1))).toEqual([])
    expect(longFiles({ "a.py": "x\n".repeat(401), "b.py": "x\n".repeat(400) })).toEqual(["a.py has 401 lines"])
    const lines = { "b.js": "y".repeat(121), "c-code.ts": "z".repeat(121), "d.ts": "y".repeat(120) }
    expect(wideLines(lines)).toEqual(["b.js:1 has 121 characters"])
  })

  it("paths and SQL outside the store", () => {
    expect(wrongPaths({ "stages/a.ts": 'import { join } from "node:path"' })).toHaveLength(1)
    expect(wrongPaths({ "stages/a.ts": 'database.prepare("select key from requests where task = ?")' })).toHaveLength(1)
    expect(wrongPaths({ "store/a.ts": 'import { join } from "node:path"\nconst sql = "select a from b"' })).toEqual([])
    expect(wrongPaths({ "stages/a.ts": 'throw new Error("select one of: a, b")' })).toEqual([])
  })

  it("files and the network in a pure room", () => {
    const files = {
      "curation/a.ts": 'import { readFileSync } from "node:fs"',
      "evaluation/a.ts": 'import {\n  get,\n} from "node:http"',
    }
    expect(wrongReaches(files)).toHaveLength(2)
  })

  it("an SDK in two files of a room, types excepted", () => {
    const value = {
      "models/a.ts": 'import OpenAI, {\n  APIError,\n} from "openai"',
      "models/b.ts": 'import { toFile } from "openai/uploads"',
    }
    expect(sharedPackages(value)).toHaveLength(1)
    expect(sharedPackages({ ...value, "models/b.ts": 'import type OpenAI from "openai"' })).toEqual([])
    expect(sharedPackages({ ...value, "models/b.ts": 'import { type OpenAI, type APIError } from "openai"' })).toEqual(
      [],
    )
  })
})
