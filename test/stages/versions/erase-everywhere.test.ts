import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { describe, expect, it } from "vitest"
import { packageRoot } from "../../../src/cli/version.ts"
import { digest } from "../../../src/core/canonical.ts"
import type { ModelRequest } from "../../../src/core/contracts/model.ts"
import type { DatasetId, HoldoutId } from "../../../src/core/rows/frozen-ids.ts"
import type { Seed } from "../../../src/core/rows/example.ts"
import { build } from "../../../src/stages/building/build.ts"
import { exportReview } from "../../../src/stages/reviewing/review-export.ts"
import { importReview } from "../../../src/stages/reviewing/review-import.ts"
import { removeFrozenRows } from "../../../src/store/rows/erasures.ts"
import { erase } from "../../../src/stages/versions/erase.ts"
import { requireWhole } from "../../../src/stages/training/run-errors.ts"
import { linesOf } from "../../command-line.ts"
import { planWith } from "../../training-plan.ts"
import { examples, grow, newText, task, train } from "../growing/growing.ts"
import { ScriptedModel, workspaceWith } from "../in-process.ts"
import { seedsOf } from "../../strategies/tasks.ts"
import { filesSaying } from "./every-byte.ts"

const secret = `Zoë "Zed" O'Quackenbush <zoe@quack.example>`
const told = `I am ${secret}, where is my parcel`

/** A workspace in which the first seed is a person's, and its id. */
function withPerson() {
  const [first, ...others] = seedsOf(task, 24) as [Seed, ...Seed[]]
  const person = { ...first, input: Object.fromEntries(Object.keys(first.input).map((key) => [key, told])) } as Seed
  const seeds = [person, ...others.map((seed, index) => ({ ...seed, input: textOf(seed, index) }))]
  const splits = train(seeds).map((row, index) => ({ ...row, split: (index > 17 ? "test" : "train") as "train" }))
  const at = workspaceWith(task, { seeds, splits })
  return { ...at, person: first.id }
}

function textOf(seed: Seed, index: number): Seed["input"] {
  return Object.fromEntries(Object.keys(seed.input).map((key) => [key, newText(9000 + index)])) as Seed["input"]
}

const named = (ids: readonly string[], matching?: string) => ({ ids, matching, why: undefined, yes: true })
const request = (content: string): ModelRequest => ({
  ...{ provider: "openai", baseUrl: "https://models.example/v1", model: "m", temperature: 1, maxTokens: 9, seed: 1 },
  messages: [{ role: "user", content }],
})

async function asked(at: ReturnType<typeof withPerson>, content: string, rows?: readonly string[], answer?: string) {
  const sent = request(content)
  const { requests } = at.context.ledger()
  const sending = { key: digest(sent), request: sent, task: task.task, purpose: "p", worstUsd: 1, rows }
  const begun = await requests.begin([sending])
  const attempt = "attempts" in begun ? (begun.attempts[0] ?? 0) : 0
  const tokens = { inputTokens: 1, outputTokens: 1 }
  if (answer === undefined) await requests.settle([{ attempt, outcome: "refused" }])
  else await requests.settle([{ attempt, outcome: "answered", answer: { text: answer, ...tokens }, costUsd: 0 }])
  return sending
}

describe("requests of the ledger lose their texts", () => {
  it("that failed, that had pseudonyms, and that were asked before anybody wrote down what they show", async () => {
    const at = withPerson()
    const failed = await asked(at, "a prompt that shows it cut short", [at.person])
    const masked = await asked(at, `write more like ${told.replace("zoe@quack.example", "[EMAIL_1]")}`)
    const other = await asked(at, "something else", [seedsOf(task, 3)[2]?.id ?? ""], "kept")
    await erase(at.context, task, named([at.person]))
    const found = await at.context.ledger().requests.find([failed, masked, other].map(({ key }) => key))
    expect([failed, masked, other].map(({ key }) => found.get(key)?.isErased)).toEqual([true, true, false])
    // A command that began before does not bring one back.
    await expect(asked(at, "a prompt made before", [at.person])).rejects.toMatchObject({ code: "erased-meanwhile" })
  })

  it("that alone know of a text, or of a row whose file is gone", async () => {
    const at = withPerson()
    await asked(at, "nothing", undefined, "Only the model ever said Xylophonia Quux")
    expect((await erase(at.context, task, named([], "xylophonia QUUX"))).state).toBe("erased")
    const lost = await asked(at, "about a lost row", ["seed_00000000000000ab"], "as it was")
    expect(await erase(at.context, task, named(["seed_00000000000000ab"]))).toMatchObject({ requests: 1 })
    expect((await at.context.ledger().requests.find([lost.key])).get(lost.key)?.isErased).toBe(true)
    expect(filesSaying(join(at.folder, ".tuneloop"), "Xylophonia Quux")).toEqual([])
    await expect(erase(at.context, task, named([], "Xylophonia Quux"))).resolves.toMatchObject({ state: "unchanged" })
  })

  it("down to the free pages; while somebody reads the old pages it says so, and finishes the next time", async () => {
    const at = withPerson()
    const file = at.context.workspace.ledgerFile
    const reader = new DatabaseSync(file)
    // Pages that were freed before anybody thought of erasing.
    reader.exec("pragma secure_delete = off; create table t (x text); pragma busy_timeout = 0")
    reader.prepare("insert into t values (?)").run(`${told} `.repeat(2000))
    reader.exec("drop table t")
    await asked(at, told, [at.person], "yes")
    reader.exec("begin; select * from requests")
    reader.prepare("select count(*) from requests").get()
    expect(await erase(at.context, task, named([at.person]))).toMatchObject({ state: "erased", ledger: "busy" })
    reader.close()
    expect(await erase(at.context, task, named([at.person]))).toMatchObject({ state: "unchanged", ledger: "clean" })
    expect(filesSaying(dirname(file), secret)).toEqual([])
  }, 40_000)
})

describe("a command that was at work", () => {
  it("builds no version with what was erased while it built", async () => {
    const at = withPerson()
    let erasures = 0
    const afterWriting = () => {
      if (erasures++ === 0) eraseElsewhere(at.folder, at.person)
    }
    const built = await build(at.context, task, [], { afterWriting })
    // It began anew.
    expect(erasures).toBe(2)
    expect(built.state).toBe("built")
    expect(filesSaying(join(at.folder, "datasets"), secret)).toEqual([])
  })

  it("grows no candidate of what was erased while it asked, and keeps the others", async () => {
    const at = withPerson()
    let erasures = 0
    const model = new ScriptedModel((sent) => {
      if (JSON.stringify(sent).includes("Quackenbush") && erasures++ === 0) eraseElsewhere(at.folder, at.person)
      return examples(sent)
    })
    await grow(at, model, "paraphrase", { count: 90 }).catch((error: unknown) => {
      expect(error).toMatchObject({ code: "erased-meanwhile" })
    })
    expect(erasures).toBeGreaterThan(0)
    expect(filesSaying(join(at.folder, "datasets"), secret)).toEqual([])
    expect(filesSaying(join(at.folder, ".tuneloop"), secret)).toEqual([])
    await grow(at, new ScriptedModel((sent) => examples(sent)), "paraphrase", { count: 90 })
    expect(at.rows.grown.candidates().length).toBeGreaterThan(5)
  })

  it("takes no decision from a sheet that was exported before", async () => {
    const at = withPerson()
    await grow(at, new ScriptedModel((sent) => examples(sent)), "paraphrase", { count: 6 })
    const sheet = join(at.folder, "review.csv")
    await exportReview(at.context, task, { out: sheet, limit: undefined, reviewer: "ben", only: undefined })
    const [candidate] = at.rows.grown.candidates()
    writeFileSync(
      sheet,
      `id,decision,comment,reviewer\n${candidate?.id},accept,says ${secret.replaceAll('"', "")},ben\n`,
    )
    await erase(at.context, task, named([candidate?.id ?? ""]))
    await importReview(at.context, task, sheet, { reviewer: undefined, dryRun: false }).catch(() => undefined)
    expect(filesSaying(join(at.folder, "datasets"), "Quackenbush")).toEqual(seedsFile)
  })
})

/** Another process erases the row, while this one is at work. */
function eraseElsewhere(folder: string, id: string): void {
  const words = ["--workspace", folder, "dataset", "erase", task.task, id, "--yes", "--accept-remaining", "a test"]
  const { status, stderr } = spawnSync(process.execPath, [join(packageRoot, "src", "cli", "main.ts"), ...words])
  expect(status, String(stderr)).toBe(0)
}

const seedsFile = [join(task.task, "seeds.jsonl")]

describe("everything that Tuneloop wrote", () => {
  it("is without the text afterwards: runs, answers, reports, logs, recorded answers, what kills left", async () => {
    const at = withPerson()
    const { context, folder, person } = at
    const built = await build(context, task, [])
    const run = "r-20261124T120000Z-abcdef"
    await context.ledger().runs.create({ run, job: "j", task: task.task, plan: "sha256:0" })
    const row = person.replace("seed_", "ex_")
    const noise = { type: "state-changed", state: "failed", message: `row 1: ${told}` } as const
    await context.ledger().runs.appendEvents(run, [noise])
    const plan = planWith({
      task: task.task,
      dataset: built.manifest.id as DatasetId,
      holdout: built.holdout.id as HoldoutId,
    })
    const html = told.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
    const other = { id: "ex_00000000000000ff", output: "kept" }
    const jsonl = (...rows: object[]) => rows.map((each) => `${JSON.stringify(each)}\n`).join("")
    const files: Record<string, string> = {
      "plan.json": JSON.stringify(plan),
      "rendered/train.jsonl": jsonl({ messages: [{ role: "user", content: told }] }),
      "predictions/eval_1/tuned.jsonl": jsonl({ id: row, output: "short" }, other),
      "predictions/eval_1/rows/tuned.jsonl": jsonl({ id: row, input: { text: told } }),
      "generation/0123/rows/few-shot.jsonl": jsonl({ id: "ex_00000000000000fe", messages: [{ content: told }] }),
      "report.html": `<html>${html}</html>`,
      "report-eval_2.html": `<code>${row}</code>`,
      "report-eval_3.html": "<p>nothing of it</p>",
      "trainer.log": `step 1\n${told}\nstep 2\n`,
      "trainer/.0123456789ab.tmp": told,
      "evaluations/eval_1.json": JSON.stringify({ notes: [`saw ${told}`], reason: "none" }),
      "trainer/events.jsonl": jsonl({ step: 6 }, noise, { step: 8 }),
      "adapter/adapter_model.safetensors": "weights",
    }
    for (const [name, text] of Object.entries(files)) put(join(folder, "jobs", "runs", run, name), text)
    put(join(folder, ".tuneloop", "answers", task.task, "tuned-01.jsonl"), jsonl({ id: row, output: "a" }, other))
    put(join(folder, ".tuneloop", "answers", task.task, ".0123456789ab.tmp"), told)
    put(join(folder, "datasets", task.task, "quarantine", "b.jsonl"), jsonl({ request: "x", answer: `so ${told}` }))
    put(join(folder, "datasets", task.task, "recorded", "old.jsonl"), jsonl({ id: row, output: `Dear ${secret}` }))
    put(join(folder, ".ba9876543210.tmp"), told)
    expect(filesSaying(folder, secret).length).toBeGreaterThan(12)
    await erase(context, task, named([person]))
    expect(filesSaying(folder, secret)).toEqual([])
    const left = (name: string) => join(folder, "jobs", "runs", run, name)
    expect(readFileSync(left("predictions/eval_1/tuned.jsonl"), "utf8")).toBe(jsonl(other))
    expect(readFileSync(left("trainer.log"), "utf8")).toBe("step 1\nstep 2\n")
    // An event keeps its place and what else it says; an evaluation is still one.
    expect(linesOf(left("trainer/events.jsonl"))).toMatchObject([{ step: 6 }, { state: "failed" }, { step: 8 }])
    expect(linesOf(left("events.jsonl"))).toMatchObject([{ sequence: 1 }, { sequence: 2, state: "failed" }])
    expect(JSON.parse(readFileSync(left("evaluations/eval_1.json"), "utf8"))).toMatchObject({ reason: "none" })
    expect(readdirSync(left(".")).filter((name) => name.startsWith("report"))).toEqual(["report-eval_3.html"])
    expect(existsSync(left("adapter/adapter_model.safetensors"))).toBe(true)
    expect((await context.ledger().runs.events(run)).map((event) => event.type)).toEqual(["planned", "state-changed"])
    expect(() => requireWhole(context.workspace, run)).toThrow(/its bytes are gone and it cannot be resumed/)
    expect((await erase(context, task, named([person]))).state).toBe("unchanged")
  })

  it("a frozen folder that cannot be written whole is left as it was, with nothing beside it", () => {
    const folder = mkdtempSync(join(tmpdir(), "tuneloop-frozen-"))
    const [first, second] = [join(folder, "validation.jsonl"), join(folder, "test.jsonl")]
    put(first, `{"id":"ex_00000000000000aa","output":"x"}\n{"id":"ex_00000000000000ab","output":"x"}\n`)
    mkdirSync(second)
    const isErased = ({ id }: { id?: string | undefined }) => id === "ex_00000000000000aa"
    expect(() => removeFrozenRows(folder, [first, second], isErased, "2026-11-24T12:00:00Z")).toThrow()
    expect(readdirSync(folder).sort()).toEqual(["test.jsonl", "validation.jsonl"])
    expect(linesOf(first)).toHaveLength(2)
  })

  it("what lies elsewhere is listed until it is dealt with or accepted", async () => {
    const at = withPerson()
    const { folder, person, context } = at
    mkdirSync(join(folder, ".git"))
    put(join(folder, "notes.md"), `call ${told}`)
    put(join(folder, "gold.xlsx"), "PK")
    put(join(folder, "datasets", "other", "seeds.jsonl"), `${JSON.stringify({ input: { text: told } })}\n`)
    await asked(at, told, [person], "fine")
    const places = (erasure: Awaited<ReturnType<typeof erase>>) =>
      erasure.remaining.map(({ kind, place }) => [kind, place])
    const all = [
      ["file", "notes.md"],
      ["git", ".git"],
      ["provider", "models.example"],
      ["task", "datasets/other/seeds.jsonl"],
      ["unread", "gold.xlsx"],
    ]
    expect(places(await erase(context, task, { ...named([person]), yes: false })).sort()).toEqual(all)
    expect(places(await erase(context, task, named([person]))).sort()).toEqual(all)
    writeFileSync(join(folder, "gold.xlsx"), "")
    expect(places(await erase(context, task, named([]))).sort()).toEqual(all)
    for (const name of ["notes.md", "gold.xlsx"]) rmSync(join(folder, name))
    expect(places(await erase(context, task, named([]))).sort()).toEqual([all[1], all[2], all[3]])
    const accepted = await erase(context, task, { ...named([]), acceptRemaining: "the history is private" })
    expect(places(accepted)).toEqual([])
    expect(places(await erase(context, task, named([])))).toEqual([])
  })
})

function put(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
