import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { isTemporary } from "../../src/store/files/temporaries.ts"
import { seeded } from "../seeded.ts"
import { makeBase } from "./base-workspace.ts"
import { CommandHost, type Ended } from "./command-host.ts"
import { type Kind, kinds } from "./kinds.ts"
import { oneOf } from "./mutations.ts"

/** A damaged file with which a command did what none may do. */
export interface Finding {
  readonly kind: string
  readonly number: number
  readonly words: string
  readonly problem: string
}

/** What came of the files of one kind. */
export interface Outcome {
  /** How often commands ended with each exit code. */
  readonly codes: ReadonlyMap<string, number>
  readonly findings: readonly Finding[]
}

/** Damages files in copies of a sound workspace, and runs commands that read them, two at a time. */
export class Fuzzer {
  readonly #root = mkdtempSync(join(tmpdir(), "tuneloop-fuzz-"))
  readonly #base = join(this.#root, "base")
  readonly #hosts = [new CommandHost(), new CommandHost()] as const

  static async open(): Promise<Fuzzer> {
    const fuzzer = new Fuzzer()
    mkdirSync(fuzzer.#base)
    await makeBase(fuzzer.#base, fuzzer.#hosts[0])
    return fuzzer
  }

  /** The same seed damages the same files in the same way; those of findings are put into `keepIn`. */
  async run(kind: string, options: { seed: number; count: number; keepIn?: string | undefined }): Promise<Outcome> {
    const codes = new Map<string, number>()
    const findings: Finding[] = []
    let next = 0
    const work = async (host: CommandHost) => {
      for (let number = next++; number < options.count; number = next++) {
        const workspace = join(this.#root, `${kind}-${number}`)
        const { code, problem, words } = await attempt({
          ...{ kind, number, seed: options.seed, keepIn: options.keepIn },
          ...{ base: this.#base, workspace, host },
        })
        codes.set(String(code), (codes.get(String(code)) ?? 0) + 1)
        if (problem !== undefined) findings.push({ kind, number, words, problem })
      }
    }
    await Promise.all(this.#hosts.map(work))
    return { codes, findings }
  }

  close(): void {
    for (const host of this.#hosts) host.stop()
    rmSync(this.#root, { recursive: true, force: true })
  }
}

interface Attempt {
  readonly kind: string
  readonly number: number
  readonly seed: number
  readonly base: string
  readonly workspace: string
  readonly host: CommandHost
  readonly keepIn: string | undefined
}

async function attempt({ kind: name, number, seed, base, workspace, host, keepIn }: Attempt) {
  const kind = kinds[name] as Kind
  const random = seeded(seedOf(seed, name, number))
  cpSync(base, workspace, { recursive: true })
  const file = oneOf(random, kind.files)
  const path = join(workspace, file)
  const sound = kind.text === undefined ? readFileSync(path) : Buffer.from(kind.text)
  const changed = await kind.change(random, sound)
  writeFileSync(path, changed)
  const words = oneOf(random, kind.commands)
    .split(" ")
    .map((word) => (/^(FILE|OUT|rows\.|datasets\/)/.test(word) ? join(workspace, word.replace("FILE", file)) : word))
  const before = filesOf(workspace)
  const ended = await host.run(["--workspace", workspace, ...words])
  const problem = problemOf(ended) ?? leftOver(workspace, ended, before)
  if (problem !== undefined && keepIn !== undefined) {
    const kept = join(keepIn, `${name}-${number}`, file)
    mkdirSync(dirname(kept), { recursive: true })
    writeFileSync(kept, changed)
  }
  rmSync(workspace, { recursive: true, force: true })
  return { code: ended.code, problem, words: words.join(" ").replaceAll(`${workspace}/`, "") }
}

function seedOf(seed: number, name: string, number: number): number {
  let mixed = seed * 100_003 + number
  for (const character of name) mixed = (Math.imul(mixed, 31) + character.charCodeAt(0)) | 0
  return mixed
}

function problemOf({ code, stdout, stderr }: Ended): string | undefined {
  const excerpt = stderr.slice(0, 600)
  if (code === undefined || code < 0 || code > 4) return `ended with ${code ?? "nothing"}: ${excerpt}`
  if (/^\s+at .*:\d+:\d+|this is a bug/m.test(stdout + stderr)) return `printed a stack: ${excerpt}`
  return undefined
}

/** What lies in the workspace but must not: a file on its way, or any change by a command that failed. */
function leftOver(workspace: string, { code }: Ended, before: Readonly<Record<string, Buffer>>): string | undefined {
  const unfinished = readdirSync(workspace, { recursive: true, encoding: "utf8" }).find((path) =>
    isTemporary(path.split("/").at(-1) as string),
  )
  if (unfinished !== undefined) return `left ${unfinished} behind`
  if (code === 0 || code === 3) return undefined
  const after = filesOf(workspace)
  const differing = Object.keys({ ...before, ...after }).filter((path) => !isKept(before[path], after[path]))
  return differing.length === 0 ? undefined : `failed with ${code}, and changed ${differing.slice(0, 5).join(", ")}`
}

/** A log of a run that is sound may have got whole lines, while another one was looked at. */
function isKept(before: Buffer | undefined, after: Buffer | undefined): boolean {
  if (before === undefined || after === undefined) return before === after
  const isLonger = after.length > before.length && after.subarray(0, before.length).equals(before)
  return after.equals(before) || (isLonger && after.at(-1) === 10)
}

function filesOf(workspace: string): Record<string, Buffer> {
  const files = readdirSync(workspace, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map(({ parentPath, name }) => join(parentPath, name))
  return Object.fromEntries(
    paths.filter((path) => !path.includes("/.tuneloop/")).map((path) => [path, readFileSync(path)]),
  )
}
