import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize, relative } from "node:path"
import { packageRoot } from "../src/cli/version.ts"

export type Tree = Readonly<Record<string, string>>

export const floors: Readonly<Record<string, number>> = {
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
/**
 * The sub-rooms of a room, lowest first: those of one line do not import each other. Files beside them are named ".".
 */
const subRooms: Readonly<Record<string, readonly (readonly string[])[]>> = {
  core: [["."], ["rows"], ["task"], ["training"], ["contracts"], ["asking"], ["growing"]],
  curation: [["text", "privacy"], ["near"], ["rows"], ["holdout"], ["leaks", "learned"], ["version"], ["review"]],
  evaluation: [["statistics"], ["scores", "review"], ["verdict"], ["report"]],
  store: [["files", "ledger"], [".", "tables"], ["rows"], ["erasing"]],
  stages: [
    [".", "standing/kinds"],
    ["standing", "asking", "dedup"],
    ["arriving", "spreadsheet"],
    ["building", "reviewing"],
    ["training"],
    ["deploying"],
    ["evaluating", "versions", "models"],
    ["growing"],
  ],
  backends: [["work"], ["hosted"], ["hosted/hub", "hosted/wandb"], ["."]],
  cli: [["."], ["dataset", "review", "models"], ["text"], ["runs"], ["commands"]],
}
const plugInRooms = ["models", "backends", "strategies", "filters", "metrics", "contenders", "formats"]
const pureRooms = ["core", "curation", "evaluation", "strategies", "filters", "metrics", "contenders", "formats"]
/** Files that read what comes with the package: the page's assets. */
const packageFiles = ["web/shell-assets.ts"]
/** The process is `cli/machine.ts`'s alone; `main.ts` looks at the version of Node before anything else is loaded. */
const processFiles = ["cli/machine.ts", "cli/main.ts"]
/** A runner starts and finds processes: it cannot do without the machine. */
export const machineFiles = [
  "backends/_local-transport.ts",
  "backends/_processes.ts",
  "backends/_set-up-steps.ts",
  "backends/_trainer-environment.ts",
  "backends/_work.ts",
]

export const tree = filesBelow(join(packageRoot, "src"), /\.ts$/)

/** The code below some folders of the package, by its path in the package. */
export function codeOf(...folders: readonly string[]): Tree {
  return Object.assign(
    {},
    ...folders.map((folder) =>
      Object.fromEntries(
        Object.entries(filesBelow(join(packageRoot, folder), /\.(ts|js|mjs|py)$/)).map(([file, text]) => [
          `${folder}/${file}`,
          text,
        ]),
      ),
    ),
  ) as Tree
}

function filesBelow(folder: string, ending: RegExp): Tree {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && ending.test(entry.name))
      .map((entry) => {
        const path = join(entry.parentPath, entry.name)
        return [relative(folder, path).replaceAll("\\", "/"), readFileSync(path, "utf8")]
      }),
  )
}

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

export function roomOf(file: string): string {
  return file.split("/")[0] ?? ""
}

/** Imports that point up or sideways, and plug-ins imported by name from outside their room. */
export function wrongImports(files: Tree): string[] {
  return Object.entries(files).flatMap(([file, text]) => {
    const room = roomOf(file)
    const floor = floors[room]
    if (floor === undefined) return [`${file}: ${room} is not a room`]
    return relativeTargets(file, text).flatMap((target) => {
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

/** Imports from one sub-room to another that point up or sideways, and sub-rooms that nobody put on a floor. */
export function wrongSubRoomImports(files: Tree): string[] {
  return Object.entries(files).flatMap(([file, text]) => {
    const room = roomOf(file)
    const floors = subRooms[room]
    // The list of commands loads each one when it is called.
    if (file === "cli/commands.ts") return []
    if (floors === undefined) return file.split("/").length > 2 ? [`${file}: ${room} has no sub-rooms`] : []
    const floor = floorOf(floors, file)
    if (floor < 0) return [`${file}: ${subRoomOf(file)} is not a sub-room of ${room}`]
    return relativeTargets(file, text)
      .filter((target) => roomOf(target) === room && subRoomOf(target) !== subRoomOf(file))
      .filter((target) => floorOf(floors, target) >= floor)
      .map((target) => `${file} imports ${target}, which is not below it`)
  })
}

function subRoomOf(file: string): string {
  return file.split("/").slice(1, -1).join("/") || "."
}

function floorOf(floors: readonly (readonly string[])[], file: string): number {
  return floors.findIndex((names) => names.includes(subRoomOf(file)))
}

function relativeTargets(file: string, text: string): string[] {
  return importsOf(text)
    .filter(({ target }) => target.startsWith("."))
    .map(({ target }) => normalize(join(dirname(file), target)).replaceAll("\\", "/"))
}

/** Files that import each other in a circle, types included: each circle once, as its files (Tarjan 1972). */
export function circles(files: Tree): string[][] {
  const index = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (file: string): number => {
    const own = index.size
    index.set(file, own)
    stack.push(file)
    let lowest = own
    for (const target of relativeTargets(file, files[file] ?? "")) {
      if (files[target] === undefined) continue
      if (!index.has(target)) lowest = Math.min(lowest, visit(target))
      else if (stack.includes(target)) lowest = Math.min(lowest, index.get(target) ?? own)
    }
    if (lowest === own) {
      const circle = stack.splice(stack.indexOf(file))
      if (circle.length > 1) found.push(circle.sort())
    }
    return lowest
  }
  for (const file of Object.keys(files)) if (!index.has(file)) visit(file)
  return found
}

const mostFiles = 25
const mostLines = 400
const widest = 120

/** Folders with more files of code in them than a person can look over. */
export function crowdedFolders(files: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1)
  return [...counts].filter(([, count]) => count > mostFiles).map(([folder, count]) => `${folder}: ${count} files`)
}

/** Files that are too long. */
export function longFiles(files: Tree): string[] {
  return Object.entries(files)
    .map(([file, text]) => ({ file, lines: text.trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > mostLines)
    .map(({ file, lines }) => `${file} has ${lines} lines`)
}

/** Lines that are too wide; what a program wrote is not for reading. */
export function wideLines(files: Tree): string[] {
  return Object.entries(files).flatMap(([file, text]) =>
    file.endsWith("-code.ts")
      ? []
      : text
          .split("\n")
          .flatMap((line, at) => (line.length > widest ? [`${file}:${at + 1} has ${line.length} characters`] : [])),
  )
}

/**
 * Regular expressions, styles, markup and migrations, which no line can break, and some texts that could be. The number
 * may fall and never rise.
 */
export const wideLinesLeft = 160

/** Files that know where things lie, or speak SQL, although they are not in `store`. */
export function wrongPaths(files: Tree): string[] {
  return Object.entries(files).flatMap(([file, text]) => {
    const room = roomOf(file)
    // A runner's files lie where its machine has them.
    if (room === "store" || room === "backends" || packageFiles.includes(file)) return []
    const code = withoutComments(text)
    const paths = room === "cli" ? [] : importsOf(text).filter(({ target }) => /^node:(fs|path)/.test(target))
    const speaksSql = /["`]\s*(select\s.+\sfrom|insert\s(or\s\w+\s)?into|update\s\w+\sset|delete\sfrom|pragma)\s/i
    return [
      ...paths.map(({ target }) => `${file} imports ${target}`),
      ...(speaksSql.test(code) ? [`${file} speaks SQL`] : []),
    ]
  })
}

/**
 * Files below the command line that reach for the process, the clock, chance or the network, and pure rooms that do
 * I/O.
 */
export function wrongReaches(files: Tree): string[] {
  return Object.entries(files).flatMap(([file, text]) => {
    const room = roomOf(file)
    if (processFiles.includes(file) || machineFiles.includes(file)) return []
    const code = withoutComments(text)
    const reaches = [
      ...code.matchAll(
        /(?<![\w."'`{])(process\.\w+|Date\.now\(|new Date\(\)|Math\.random|fetch\(|performance\.now|setTimeout\()/g,
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

/** The npm packages that are loaded with a file, by what it and all below it import when they are loaded. */
export function packagesLoadedWith(files: Tree, start: string): string[] {
  const packages = new Set<string>()
  const reached = new Set([start])
  for (const file of reached)
    for (const { target, isTypeOnly } of importsOf(files[file] ?? "")) {
      if (isTypeOnly || target.startsWith("node:")) continue
      if (target.startsWith(".")) reached.add(normalize(join(dirname(file), target)))
      else packages.add(target)
    }
  return [...packages].sort()
}

/** npm packages that more than one file of a room knows. */
export function sharedPackages(files: Tree): string[] {
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
