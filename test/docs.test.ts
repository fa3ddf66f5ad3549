import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import type { Command } from "commander"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { errorMeanings } from "../docs/error-meanings.ts"
import { fullProgram, generatedFiles } from "../docs/generate.ts"
import { schemas } from "../src/cli/commands/schema.ts"
import { load, names, rooms } from "../src/cli/plugins.ts"
import { parseYaml } from "../src/core/parse.ts"
import { jobSchema } from "../src/core/training/job.ts"
import { assignmentSchema } from "../src/core/rows/example.ts"
import type { BackendModule } from "../src/core/contracts/backend.ts"
import type { Strategy } from "../src/core/contracts/strategy.ts"

const root = join(import.meta.dirname, "..")
const pages = globSync(["*.md", "docs/**/*.md", "bench/**/*.md"], { cwd: root }).sort()
const textOf = (page: string) => readFileSync(join(root, page), "utf8")
const scripts = Object.keys((JSON.parse(textOf("package.json")) as { scripts: Record<string, string> }).scripts)
const program = await fullProgram()
const generated = await generatedFiles()

describe("generated pages", () => {
  test.each([...generated])("docs/%s is what `npm run docs` writes", (name, text) => {
    const file = join(root, "docs", name)
    expect(existsSync(file) ? readFileSync(file, "utf8") : undefined, "stale: run `npm run docs`").toBe(text)
  })

  test("every key of every schema says what it means: editors show it, and the docs are made of it", async () => {
    const strategies = await Promise.all(
      names("strategies").map(async (name) => [name, (await load<Strategy>("strategies", name)).options] as const),
    )
    const backends = await Promise.all(
      names("backends").map(async (name) => [name, (await load<BackendModule>("backends", name)).options] as const),
    )
    const plugIns = Object.fromEntries([...strategies, ...backends])
    const all = { ...schemas, assignment: assignmentSchema, ...plugIns }
    const silent = Object.entries(all).flatMap(([name, schema]) =>
      keysWithoutMeaning(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }), name),
    )
    expect(silent).toEqual([])
    const nested = z.toJSONSchema(
      z.object({
        a: z
          .array(z.union([z.object({ b: z.string() }), z.record(z.string(), z.object({ c: z.string() }))]))
          .describe("x"),
      }),
    )
    expect(keysWithoutMeaning(nested, "nested")).toEqual(["nested.a.b", "nested.a.c"])
  })

  test("every command is documented", () => {
    const headings = new Set(textOf("docs/cli.md").match(/^##+ .+$/gm))
    for (const command of program.commands) {
      expect(headings).toContain(`## ${command.name()}`)
      for (const part of command.commands) expect(headings).toContain(`### ${command.name()} ${part.name()}`)
    }
  })

  test("every plug-in is documented", () => {
    const text = textOf("docs/plug-ins.md")
    for (const room of rooms)
      for (const name of names(room)) expect(text).toMatch(new RegExp(`^\\| \`${name}(:<\\w+>)?\` +\\|`, "m"))
  })

  test("the specifications' modelines name a schema that is there", () => {
    for (const file of globSync(["specs/*.yaml", "jobs/*.yaml"], { cwd: root })) {
      const schema = /^# yaml-language-server: \$schema=(\S+)$/m.exec(textOf(file))?.[1]
      expect(schema, file).toBeDefined()
      expect(existsSync(join(root, dirname(file), schema ?? "")), `${file}: ${schema}`).toBe(true)
    }
  })
})

/** The paths of keys without a description, at every depth. */
function keysWithoutMeaning(schema: unknown, path: string): string[] {
  if (typeof schema !== "object" || schema === null) return []
  const { properties, items, additionalProperties, anyOf, oneOf, allOf } = schema as Record<string, unknown>
  const keys = Object.entries((properties ?? {}) as Record<string, { description?: string }>).flatMap(
    ([key, value]) => [
      ...(value.description?.trim() ? [] : [`${path}.${key}`]),
      ...keysWithoutMeaning(value, `${path}.${key}`),
    ],
  )
  const parts = [items, additionalProperties, anyOf, oneOf, allOf].flatMap((part) => part ?? [])
  return [...new Set([...keys, ...parts.flatMap((part) => keysWithoutMeaning(part, path))])]
}

describe("written pages", () => {
  test.each(pages)("%s has no broken relative link", (page) => {
    expect(brokenLinks(page)).toEqual([])
  })

  test.each(pages)("%s names only commands, options and scripts that exist", (page) => {
    expect(codeOf(textOf(page)).flatMap(commandProblems)).toEqual([])
  })

  test("a wrong command, option, script or link is noticed", () => {
    expect(commandProblems("tuneloop biuld x")).not.toEqual([])
    expect(commandProblems("tuneloop seed improt x")).not.toEqual([])
    expect(commandProblems("tuneloop build x --fast")).not.toEqual([])
    expect(commandProblems("npm run qickstart")).not.toEqual([])
    expect(linkProblem("README.md", "docs/nowhere.md")).toBeDefined()
    expect(linkProblem("README.md", "CONTRIBUTING.md#no-such-heading")).toBeDefined()
  })

  test("backends.md says of every service which checkpoint is its model", () => {
    const sections = textOf("docs/backends.md")
      .split(/^## /m)
      .filter((section) => /^Serving: /m.test(section))
    expect(sections.length).toBeGreaterThan(5)
    for (const section of sections) expect(section, section.split("\n")[0]).toMatch(/^Checkpoints: /m)
  })

  test("README opens with the two commands and has a place for what the quickstart prints", () => {
    const readme = textOf("README.md")
    for (const needed of [
      "npm run quickstart",
      "npm test",
      "<!-- quickstart output -->",
      "<!-- /quickstart output -->",
    ])
      expect(readme).toContain(needed)
  })

  test("AGENTS.md has at most 60 lines", () => {
    expect(textOf("AGENTS.md").trimEnd().split("\n").length).toBeLessThanOrEqual(60)
  })
})

function brokenLinks(page: string): string[] {
  const prose = textOf(page)
    .replace(/^```[\s\S]*?^```/gm, "")
    .replace(/`[^`\n]*`/g, "")
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => linkProblem(page, match[1] ?? "") ?? [])
}

function linkProblem(page: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined
  const [path = "", anchor] = link.split("#")
  const target = path === "" ? page : join(dirname(page), path)
  if (!existsSync(join(root, target))) return `${link}: no such file`
  if (anchor !== undefined && !anchorsOf(textOf(target)).includes(anchor)) return `${link}: no such heading`
  return undefined
}

/** The anchors of the headings, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, "")
      .replaceAll(" ", "-"),
  )
}

/** The lines of shell blocks, and the pieces of inline code. */
function codeOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap((match) => (match[1] ?? "").split("\n"))
  const inline = [...text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? "")
  return [...blocks, ...inline]
}

function commandProblems(code: string): string[] {
  const script = /^npm run (?:-s )?([\w:]+)/.exec(code)?.[1]
  const problems = script !== undefined && !scripts.includes(script) ? [`${code}: no such script`] : []
  const words = /^(?:npm run -s tuneloop -- |tuneloop )(.*)$/.exec(code)?.[1]?.split(/\s+/)
  return words === undefined || words[0]?.startsWith("<") ? problems : [...problems, ...wordProblems(code, words)]
}

function wordProblems(code: string, words: readonly string[]): string[] {
  const command = words[0]?.startsWith("-") ? program : find(program, words[0])
  if (!command) return [`${code}: no such command`]
  const part =
    command !== program && command.commands.length > 0 && words[1] !== undefined ? find(command, words[1]) : command
  if (!part) return [`${code}: no such command`]
  const known = [...part.options, ...program.options].map(({ long }) => long)
  return words
    .filter((word) => word.startsWith("--") && word !== "--help" && !known.includes(word.split("=")[0]))
    .map((word) => `${code}: no option ${word}`)
}

function find(command: Command, name: string | undefined): Command | undefined {
  return command.commands.find((candidate) => candidate.name() === name)
}

describe("docs/backends.md", () => {
  const jobs = [...textOf("docs/backends.md").matchAll(/```yaml\n([^`]+)```/g)].map((match) => match[1] ?? "")

  test.each(jobs)("has a job file that is valid as it stands: %s", async (text) => {
    const job = parseYaml(jobSchema, text, "backends.md", "")
    const module = await load<BackendModule>("backends", job.backend.name)
    expect(module.options.safeParse(job.backend.options).error).toBeUndefined()
  })

  test("has one for each place that a backend trains at", () => {
    expect(jobs.length).toBeGreaterThanOrEqual(names("backends").length)
  })
})

test("every error code that commands give is explained, and none that they do not give", () => {
  const explained = [...(generated.get("errors-and-exit-codes.md") ?? "").matchAll(/^\| `([a-z-]+)` +\| \w/gm)]
  expect(explained.map(([, code]) => code)).toEqual(Object.keys(errorMeanings))
})
