import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { Host } from "../../../src/cli/host.ts"
import { loadFilters } from "../../../src/cli/plugins.ts"
import { build } from "../../../src/stages/building/build.ts"
import { evaluate } from "../../../src/stages/evaluating/evaluate.ts"
import { train } from "../../../src/stages/training/train.ts"
import { importSeeds } from "../../../src/stages/arriving/import-rows.ts"
import { Workspace } from "../../../src/store/workspace.ts"
import { linesOf, sampleWorkspace } from "../../command-line.ts"
import { seeded } from "../../seeded.ts"
import { quickBackend, requestOf } from "./evaluating.ts"

const task = "ticket-triage"
const random = seeded(77)
// Words with digits in them would be identifiers, which decide.
const letters = (next: () => number) =>
  Array.from({ length: 6 }, () => String.fromCharCode(97 + Math.floor(26 * next()))).join("")
const words = () => Array.from({ length: 14 }, () => letters(random)).join(" ")

it("on a later holdout leaves out what a contender was trained on, for all of them, and says so", {
  timeout: 60_000,
}, async () => {
  const workspace = Workspace.open(sampleWorkspace())
  const host = new Host(["--quiet"])
  const context = host.context(workspace)
  const specification = workspace.readTask(task)
  const job = workspace.readJob(task)
  const filters = await loadFilters(specification)
  const labels = ["delivery", "return", "payment"]
  const arrive = async (name: string, rows: readonly object[]) => {
    const file = join(workspace.root, name)
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
    await importSeeds(context, specification, [file], { skipInvalid: false })
  }
  const row = (body: string, n: number, split?: string) => ({
    input: { body },
    output: labels[n % 3],
    ...(split === undefined ? {} : { split }),
  })
  const [exact, near] = [words(), words()]
  await arrive("old.jsonl", [
    ...Array.from({ length: 40 }, (_, n) => row(words(), n)),
    row(exact, 1, "train"),
    row(near, 2, "train"),
  ])
  const old = await build(context, specification, filters)
  const asked = new Map<string, string[]>()
  const backend = quickBackend(asked)
  const { run } = await train(context, job, specification, backend)
  const request = await requestOf(specification, job, run.run, backend)
  const first = await evaluate(context, request)
  expect(first.result).toMatchObject({ holdout: old.holdout.id, tainted: [], wear: { openings: 1 } })
  expect(first.result.contenders[0]?.metrics["accuracy"]?.n).toBe(old.rows.test)

  // Two rows of a later test set stand, or nearly stand, in what the run was trained on.
  await arrive("new.jsonl", [
    row(exact.toUpperCase(), 1, "test"),
    row(near.replace(/^\w+/, "hello"), 2, "test"),
    row(words(), 0, "test"),
  ])
  const later = await build(context, specification, filters)
  expect(later.holdout.id).not.toBe(old.holdout.id)
  expect(later.rows.test).toBe(old.rows.test + 3)
  const second = await evaluate(context, { ...request, holdout: later.holdout.id })
  expect(second.state).toBe("evaluated")
  expect(second.result.evaluation).not.toBe(first.result.evaluation)
  expect(second.result.holdout).toBe(later.holdout.id)
  expect(new Set(second.result.tainted?.map(({ check }) => check))).toEqual(new Set(["exact", "near"]))
  // A worked example of the few-shot prompt may be one of them.
  for (const { contenders } of second.result.tainted ?? [])
    expect(contenders).toEqual(expect.arrayContaining(["tuned", "linear"]))
  expect(second.result.tainted).toHaveLength(2)
  for (const contender of second.result.contenders) expect(contender.metrics["accuracy"]?.n).toBe(old.rows.test + 1)
  const left = new Set(second.result.tainted?.map(({ id }) => id))
  for (const name of ["tuned", "zero-shot", "few-shot"])
    expect(asked.get(name)?.filter((id) => left.has(id))).toEqual([])
  expect(second.result.notes.join("\n")).toContain("2 test examples are left out of the comparison")
  const report = readFileSync(join(workspace.root, second.result.report), "utf8")
  for (const id of left) expect(report).toContain(id)
  expect(await context.ledger().openings.of(later.holdout.id)).toHaveLength(1)
  const again = await evaluate(context, { ...request, holdout: later.holdout.id })
  expect(again).toEqual({ state: "unchanged", result: JSON.parse(JSON.stringify(second.result)) })
  expect(existsSync(join(workspace.root, second.result.report))).toBe(true)
  await host.close()
})

it("trains with weights and gives figures at the prevalence that the specification says", {
  timeout: 60_000,
}, async () => {
  const workspace = Workspace.open(sampleWorkspace())
  const host = new Host(["--quiet"])
  const context = host.context(workspace)
  const shares = {
    delivery: 0.4,
    return: 0.2,
    payment: 0.2,
    account: 0.05,
    fault: 0.05,
    product: 0.05,
    "out-of-scope": 0.05,
  }
  const plain = workspace.readTask(task)
  if (plain.kind !== "label") throw new Error("the sample task has changed")
  const specification = { ...plain, output: { ...plain.output, prevalence: shares } }
  const filters = await loadFilters(specification)
  const file = join(workspace.root, "gold.jsonl")
  const labels = ["delivery", "return", "payment", "out-of-scope"]
  writeFileSync(
    file,
    Array.from(
      { length: 80 },
      (_, n) => `${JSON.stringify({ input: { body: words() }, output: labels[n % 4] })}\n`,
    ).join(""),
  )
  await importSeeds(context, specification, [file], { skipInvalid: false })
  const without = await build(context, plain, filters)
  const built = await build(context, specification, filters)
  expect(without.manifest.prevalence).toBeUndefined()
  expect(built.manifest.id).not.toBe(without.manifest.id)
  expect(built.manifest.prevalence?.targets["account"]).toMatchObject({ share: 0.05, rows: 0 })
  const weights = built.manifest.prevalence?.weights ?? {}
  expect((weights["delivery"] ?? 0) / (weights["out-of-scope"] ?? 0)).toBeCloseTo(8, 1)
  const started = { type: "started", totalSteps: 1, details: { machine: "8 × a machine that trains" } } as const
  const backend = quickBackend(new Map(), {
    poll: async () => ({ state: "succeeded", events: [started], cursor: "1" }),
  })
  const job = workspace.readJob(task)
  const { run } = await train(context, job, specification, backend)
  const rendered = linesOf<{ weight: number; messages: { content: string }[] }>(
    join(workspace.runFolder(run.run), "rendered", "train.jsonl"),
  )
  for (const { weight, messages } of rendered) expect(weight).toBe(weights[messages.at(-1)?.content ?? ""])
  expect(readFileSync(join(workspace.runFolder(run.run), "rendered", "validation.jsonl"), "utf8")).not.toContain(
    '"weight"',
  )
  const { result } = await evaluate(context, await requestOf(specification, job, run.run, backend))
  // The backend says delivery to everything: right on a quarter of the test, and on 40 of the 85 percent that the test
  // set has labels of.
  const tuned = result.prevalence?.contenders[0]?.metrics["accuracy"]
  expect(tuned?.value).toBeCloseTo(0.4 / 0.85, 2)
  expect(result.prevalence?.untested).toEqual(["account", "fault", "product"])
  const report = readFileSync(join(workspace.root, result.report), "utf8")
  expect(report).toContain("<dt>trained on</dt><dd>8 × a machine that trains</dd>")
  expect(report).toContain("<dt>evaluated on</dt><dd>a machine</dd>")
  expect(result.outOfScope).toMatchObject({ label: "out-of-scope", isDeclared: true })
  expect(result.outOfScope?.contenders[0]).toMatchObject({ recognised: { value: 0 }, turnedAway: 0 })
  await host.close()
})
