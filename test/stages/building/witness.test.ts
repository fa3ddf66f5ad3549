import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { buildThreads } from "../../../src/cli/threads.ts"
import { contentId } from "../../../src/core/canonical.ts"
import { GateError } from "../../../src/core/errors.ts"
import type { Example, Seed } from "../../../src/core/rows/example.ts"
import type { DatasetManifest } from "../../../src/core/rows/manifests.ts"
import { taskKinds, taskSchema, type TaskSpecification } from "../../../src/core/task/task.ts"
import { jobSchema } from "../../../src/core/training/job.ts"
import { leakChecks, reasonOf, type LeakCheck } from "../../../src/curation/leaks/definition.ts"
import { build } from "../../../src/stages/building/build.ts"
import { planTraining } from "../../../src/stages/training/plan-training.ts"
import { digestFile } from "../../../src/store/files/files.ts"
import { seeded } from "../../seeded.ts"
import { workspaceWith } from "../in-process.ts"

type Kind = TaskSpecification["kind"]

const outputs: Readonly<Record<Kind, { output: object; of: (number: number) => unknown }>> = {
  label: { output: { labels: { a: "one", b: "two" } }, of: (number) => (number % 2 === 0 ? "a" : "b") },
  multilabel: { output: { labels: { a: "one", b: "two" } }, of: (number) => (number % 2 === 0 ? ["a"] : ["a", "b"]) },
  json: {
    output: { schema: { type: "object", properties: { number: { type: "integer" } }, required: ["number"] } },
    of: (number) => ({ number }),
  },
  text: { output: {}, of: (number) => `answer number ${number}` },
  chat: { output: {}, of: (number) => ({ role: "assistant", content: `answer number ${number}` }) },
}

function taskOf(kind: Kind): TaskSpecification {
  return taskSchema.parse({
    task: "made",
    kind,
    description: "Made-up rows.",
    ...(kind === "chat" ? {} : { input: { text: { description: "the text" } } }),
    output: outputs[kind].output,
  })
}

/** So many rows of other words each, of which every fourth is held out. */
function madeRows(
  kind: Kind,
  count = 80,
): { seeds: Seed[]; held: Seed[]; splits: { id: string; split: "train" | "validation" | "test"; stratum: string }[] } {
  const random = seeded(11)
  const seeds = Array.from(
    { length: count },
    (_, number): Seed => ({
      id: `seed_${number.toString(16).padStart(16, "0")}`,
      input: inputOf(kind, Array.from({ length: 26 }, () => wordOf(Math.floor(random() * 100_000))).join(" ")),
      output: outputs[kind].of(number),
    }),
  )
  const splitOf = (number: number) => (number % 8 === 3 ? "validation" : number % 8 === 7 ? "test" : "train")
  return {
    seeds,
    held: seeds.filter((_, number) => splitOf(number) !== "train"),
    splits: seeds.map(({ id }, number) => ({ id, split: splitOf(number), stratum: "all" })),
  }
}

/** A word of letters alone: texts with other numbers are never near. */
function wordOf(number: number): string {
  return `w${[...String(number)].map((digit) => "abcdefghij"[Number(digit)]).join("")}x`
}

function inputOf(kind: Kind, text: string): Seed["input"] {
  return kind === "chat" ? { messages: [{ role: "user", content: text }] } : { text }
}

function textOf({ input }: Pick<Seed, "input">): string {
  const { text, messages } = input as { text?: string; messages?: { content: string }[] }
  return text ?? messages?.[0]?.content ?? ""
}

/** Makes a leak by that check, and no other but what follows from it, of the row and what is held out. */
function planted(kind: Kind, check: LeakCheck, row: Example, held: Seed): Example {
  const words = textOf(held).split(" ")
  const texts: Record<Exclude<LeakCheck, "lineage" | "group">, string> = {
    exact: textOf(held).toUpperCase().replace(" ", "  "),
    // Thirteen words in a row are in no such copy.
    near: words.map((word, place) => (place === 12 || place === 24 ? `${word}y` : word)).join(" "),
    ngram: [...textOf(row).split(" "), ...words.slice(5, 18), ...textOf(row).split(" ").reverse()].join(" "),
  }
  return check === "lineage" || check === "group"
    ? { ...row, provenance: { ...row.provenance, parents: [held.id] } }
    : { ...row, input: inputOf(kind, texts[check]) }
}

/** Makes a leak by each check in the train rows of a folder, each in a row of its own; returns their ids. */
function plant(kind: Kind, folder: string, checks: readonly LeakCheck[], held: readonly Seed[]): string[] {
  const file = join(folder, "train.jsonl")
  const rows = readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Example)
  const ids = checks.map((check, index) => {
    const place = 3 + 2 * index
    rows[place] = planted(kind, check, rows[place] as Example, held[index] as Seed)
    return rows[place].id
  })
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
  return ids
}

async function buildMade(kind: Kind, threads: number, afterWriting?: (folder: string, held: readonly Seed[]) => void) {
  const { seeds, held, splits } = madeRows(kind)
  const made = workspaceWith(taskOf(kind), { seeds, splits })
  const versions = join(made.rows.folder, "versions")
  const building = build(made.context, taskOf(kind), [], {
    threads: { ...buildThreads, count: threads, leastBytes: 0 },
    afterWriting: (folder) => afterWriting?.(folder, held),
  })
  return { ...made, held, versions, building }
}

const idsIn = (folder: string) =>
  existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith("ds_")) : []

describe.each(taskKinds.map((kind) => [kind] as const))("a leak among frozen rows of kind %s", (kind) => {
  it.each([1, 4])(
    "is found by the witness with %i threads, dropped with its reason, and not frozen",
    async (threads) => {
      const clean = await (await buildMade(kind, 1)).building
      expect(clean.witness).toMatchObject({ found: [], rows: clean.rows.train, heldOut: 20, near: { mostMissed: 0 } })
      let ids: string[] = []
      const { building, versions } = await buildMade(kind, threads, (folder, held) => {
        // What was written anew stays as it is.
        if (ids.length === 0) ids = plant(kind, folder, leakChecks, held)
      })
      const { manifest, witness, rows } = await building
      const first = new Map(witness.found.toReversed().map(({ check, train }) => [train, check]))
      expect(ids.map((id) => first.get(id))).toEqual(leakChecks)
      expect(first.size).toBe(4)
      expect(manifest.dropped).toEqual({ lineage: 1, "leak-exact": 1, "leak-near": 1, "leak-ngram": 1 })
      expect([manifest.read, manifest.kept, rows.train]).toEqual([60, 56, 56])
      expect(manifest.leaks).toEqual({ checks: [...leakChecks], found: 0 })
      const dropped = readFileSync(join(versions, manifest.id, "dropped.jsonl"), "utf8")
        .trimEnd()
        .split("\n")
      const reasons = new Map(dropped.map((line) => JSON.parse(line)).map(({ id, reason }) => [id, reason]))
      expect(ids.map((id) => reasons.get(id))).toEqual(leakChecks.map(reasonOf))
    },
    60_000,
  )

  it.each(leakChecks)(
    "by %s closes the gate where it is there again, and nothing is frozen",
    async (check) => {
      for (const threads of kind === "label" && check === "near" ? [1, 4] : [1]) {
        const { building, versions } = await buildMade(kind, threads, (folder, held) => {
          plant(kind, folder, [check], held)
        })
        await expect(building).rejects.toThrow(GateError)
        await expect(building).rejects.toThrow(new RegExp(`still meet what is held out .*: ${check}, ex_`))
        expect(idsIn(versions)).toEqual([])
      }
    },
    60_000,
  )

  it.each(leakChecks)(
    "by %s that is put into a version afterwards is not trained on",
    async (check) => {
      const { building, versions, context, held } = await buildMade(kind, 1)
      const { manifest } = await building
      const job = jobSchema.parse({ job: "made", task: "made", baseModel: "someone/model" })
      const planned = () => planTraining(context, job, taskOf(kind))
      expect(planned().plan.dataset).toBe(manifest.id)
      const folder = join(versions, manifest.id)
      plant(kind, folder, [check], held)
      expect(planned).toThrow(/not what its manifest says/)
      // With the digest of what is there now.
      const altered = manifestOf(folder)
      writeManifest(folder, {
        ...altered,
        files: { ...altered.files, "train.jsonl": { rows: 60, digest: digestFile(join(folder, "train.jsonl")) } },
      })
      expect(planned).toThrow(GateError)
      expect(planned).toThrow(/altered after it was built/)
      if (check !== "lineage" && check !== "exact") return
      // And under the id that stands for it.
      const { task, recipe, files } = manifestOf(folder)
      const id = contentId("ds", { task, recipe, files })
      cpSync(folder, join(versions, id), { recursive: true })
      writeManifest(join(versions, id), { ...manifestOf(folder), id })
      writeFileSync(join(versions, "latest.json"), JSON.stringify({ version: id }))
      expect(planned).toThrow(new RegExp(`has 1 leaks .* \\(${check}\\)`))
    },
    30_000,
  )
})

function manifestOf(folder: string): DatasetManifest {
  return JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as DatasetManifest
}

function writeManifest(folder: string, manifest: DatasetManifest): void {
  writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest))
}
