import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize, relative } from "node:path"
import { describe, expect, it } from "vitest"
import { packageRoot } from "../src/cli/version.ts"

type Tree = Readonly<Record<string, string>>

const floors: Readonly<Record<string, number>> = {
  core: 0,
  curation: 1,
  evaluation: 1,
  store: 1,
  models: 1,
  backends: 1,
  strategies: 1,
  filters: 1,
  metrics: 1,
  contenders: 1,
  formats: 1,
  stages: 2,
  web: 3,
  cli: 4,
}
const plugInRooms = ["models", "backends", "strategies", "filters", "metrics", "contenders", "formats"]
const pureRooms = ["core", "curation", "evaluation", "strategies", "filters", "metrics", "contenders", "formats"]
/** A runner starts and finds processes: it cannot do without the machine. */
const machineFiles = [
  "backends/_local-transport.ts",
  "backends/_processes.ts",
  "backends/_set-up-steps.ts",
  "backends/_trainer-environment.ts",
  "backends/_work.ts",
]

const source = join(packageRoot, "src")
const tree: Tree = Object.fromEntries(
  readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return [relative(source, path).replaceAll("\\", "/"), readFileSync(path, "utf8")]
    }),
)

interface Import {
  readonly target: string
  readonly isTypeOnly: boolean
}

/** What a file imports or re-exports, over as many lines as it takes, dynamically as well; without its comments. */
function importsOf(text: string): Import[] {
  const code = withoutComments(text)
  const named = [...code.matchAll(/\b(?:import|export)\b([^"'`;()]*?)\bfrom\s*"([^"]+)"/g)].map((match) => {
    const clause = match[1] ?? ""
    const members = /\{([^}]*)\}/
      .exec(clause)?.[1]
      ?.split(",")
      .filter((member) => member.trim() !== "")
    const isTypeOnly =
      /^\s*type\b/.test(clause) ||
      (members?.every((member) => /^\s*type\b/.test(member)) === true && !/\w\s*,\s*\{/.test(clause))
    return { target: match[2] ?? "", isTypeOnly }
  })
  const other = [...code.matchAll(/(?<!["`.\w])import\s*(?:\(\s*)?["`]([^"`]+)["`]/g)].map((match) => ({
    target: match[1] ?? "",
    isTypeOnly: false,
  }))
  return [...named, ...other]
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`\w])\/\/.*$/gm, "$1")
}

function roomOf(file: string): string {
  return file.split("/")[0] ?? ""
}

/** Imports that point up or sideways, and plug-ins imported by name from outside their room. */
function wrongImports(files: Tree): string[] {
  return Object.entries(files).flatMap(([file, text]) => {
    const room = roomOf(file)
    const floor = floors[room]
    if (floor === undefined) return [`${file}: ${room} is not a room`]
    return importsOf(text)
      .filter(({ target }) => target.startsWith("."))
      .map(({ target }) => normalize(join(dirname(file), target)).replaceAll("\\", "/"))
      .flatMap((target) => {
        const other = roomOf(target)
        // `../${room}/${name}` is how the command line finds plug-ins.
        if (other === room || other.startsWith("${")) return []
        if (floors[other] === undefined) return [`${file} imports ${target}, which is in no room`]
        if ((floors[other] ?? 0) >= floor) return [`${file} imports ${target}, which is not below it`]
        if (!plugInRooms.includes(other)) return []
        const isShared = target.split("/").at(-1)?.startsWith("_") === true
        return room === "stages" || !isShared ? [`${file} imports the plug-in ${target}`] : []
      })
  })
}

/**
 * Files below the command line that reach for the process, the clock, chance or the network, and pure rooms that do
 * I/O.
 */
function wrongReaches(files: Tree): string[] {
  return Object.entries(files).flatMap(([file, text]) => {
    const room = roomOf(file)
    if (room === "cli" || machineFiles.includes(file)) return []
    const code = withoutComments(text)
    const reaches = [
      ...code.matchAll(
        /(?<![\w."'])(process\.\w+|Date\.now\(|new Date\(\)|Math\.random|fetch\(|performance\.now|setTimeout\()/g,
      ),
    ].map((match) => `${file} reaches for ${match[1]}`)
    if (!pureRooms.includes(room)) return reaches
    const io = importsOf(text).filter(({ target }) => target.startsWith("node:") && target !== "node:crypto")
    return [
      ...reaches,
      ...io.map(({ target }) => `${file} imports ${target}`),
      ...(/\brandomBytes|randomUUID/.test(code) ? [`${file} draws lots`] : []),
    ]
  })
}

/** npm packages that more than one file of a room knows. */
function sharedPackages(files: Tree): string[] {
  const users = new Map<string, Set<string>>()
  for (const [file, text] of Object.entries(files))
    for (const { target, isTypeOnly } of importsOf(text)) {
      if (isTypeOnly || target.startsWith(".") || target.startsWith("node:")) continue
      const name = target
        .split("/")
        .slice(0, target.startsWith("@") ? 2 : 1)
        .join("/")
      // Schemas are the language that every room speaks; commands are written in the command line's own library.
      if (name === "zod" || (name === "commander" && roomOf(file) === "cli")) continue
      const key = `${name} in ${roomOf(file)}`
      users.set(key, (users.get(key) ?? new Set()).add(file))
    }
  return [...users].filter(([, names]) => names.size > 1).map(([key, names]) => `${key}: ${[...names].join(", ")}`)
}

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

  it("no file is longer than 400 lines", () => {
    expect(Object.keys(tree).filter((file) => (tree[file] ?? "").trimEnd().split("\n").length > 400)).toEqual([])
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
        '/** import { x } from "../cli/x.ts" */\nimport { build } from "./build.ts"\n// import "../cli/main.ts"\nimport { digest } from "../core/canonical.ts"',
      "cli/commands/a.ts":
        'import { trainerPython } from "../../backends/_trainer-environment.ts"\nawait import(`../${room}/${name}${ending}`)',
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
    expect(wrongReaches({ "cli/a.ts": code })).toEqual([])
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
