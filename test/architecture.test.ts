import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { describe, expect, it } from "vitest"
import { packageRoot } from "../src/cli/version.ts"

const floors: Readonly<Record<string, number>> = {
  core: 0,
  curation: 1,
  evaluation: 1,
  store: 1,
  models: 1,
  backends: 1,
  strategies: 1,
  metrics: 1,
  stages: 2,
  cli: 4,
}
const plugInRooms = ["models", "backends", "strategies", "metrics"]

const source = join(packageRoot, "src")
const files = Object.fromEntries(
  readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return [relative(source, path), readFileSync(path, "utf8")]
    }),
)

/** The broken rules of a source tree, by file: imports that point up or sideways, plug-ins imported by name, code below the command line that touches the process. */
function brokenRules(tree: Readonly<Record<string, string>>): string[] {
  return Object.entries(tree).flatMap(([file, text]) => {
    const room = file.split("/")[0] ?? ""
    const floor = floors[room]
    if (floor === undefined) return [`${file}: ${room} is not a room`]
    const imports = [...text.matchAll(/^(?:import|export) [^;\n]*? from "(\.[^"]+)"/gm), ...text.matchAll(/import\("(\.[^"]+)"\)/g)].map((match) =>
      relative(source, join(source, dirname(file), match[1] ?? "")),
    )
    const wrong = imports.flatMap((target) => {
      const other = target.split("/")[0] ?? ""
      if (other === room) return []
      const otherFloor = floors[other]
      if (otherFloor === undefined || otherFloor >= floor) return [`${file} imports ${target}`]
      return plugInRooms.includes(other) && !target.split("/").at(-1)?.startsWith("_") ? [`${file} imports the plug-in ${target}`] : []
    })
    const isPure = ["core", "curation", "evaluation", "strategies", "metrics"].includes(room)
    const touches = isPure
      ? [...text.matchAll(/\b(process\.\w+|Date\.now\(\)|new Date\(\)|Math\.random\(\)|\bfetch\(|from "node:(?!crypto)[^"]+")/g)].map(
          (match) => `${file} touches ${match[1]}`,
        )
      : []
    const clock =
      room === "stages" || room === "store"
        ? [...text.matchAll(/\b(process\.(?:env|argv|stdout|stderr|exit)\b|Date\.now\(\)|new Date\(\)|Math\.random\(\))/g)].map(
            (match) => `${file} touches ${match[1]}`,
          )
        : []
    return [...wrong, ...touches, ...clock]
  })
}

describe("the house", () => {
  it("imports point down, rooms on a floor do not know each other, plug-ins are found by name, pure rooms are pure", () => {
    expect(Object.keys(files).length).toBeGreaterThan(50)
    expect(brokenRules(files)).toEqual([])
  })

  it("a planted upward import, a sideways one, a named plug-in and a clock are found", () => {
    expect(brokenRules({ "core/a.ts": 'import { build } from "../stages/build.ts"' })).toHaveLength(1)
    expect(brokenRules({ "curation/a.ts": 'import { decide } from "../evaluation/verdict.ts"' })).toHaveLength(1)
    expect(brokenRules({ "stages/a.ts": 'import local from "../backends/local.ts"' })).toHaveLength(1)
    expect(brokenRules({ "core/a.ts": "const now = Date.now()" })).toHaveLength(1)
  })

  it("an SDK is known to one file of a room", () => {
    const users = new Map<string, string[]>()
    for (const [file, text] of Object.entries(files))
      for (const match of text.matchAll(/^import (?!type)[^;\n]*? from "([^."][^"]*)"/gm)) {
        const name = (match[1] ?? "")
          .split("/")
          .slice(0, match[1]?.startsWith("@") ? 2 : 1)
          .join("/")
        if (name.startsWith("node:") || name === "zod" || name === "commander") continue
        const key = `${name} in ${file.split("/")[0]}`
        users.set(key, [...new Set([...(users.get(key) ?? []), file])])
      }
    expect([...users].filter(([, names]) => names.length > 1)).toEqual([])
  })

  it("no file is longer than 400 lines", () => {
    expect(
      Object.entries(files)
        .filter(([, text]) => text.split("\n").length > 401)
        .map(([file]) => file),
    ).toEqual([])
  })
})
