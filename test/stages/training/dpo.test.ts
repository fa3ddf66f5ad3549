import { cpSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { OpenAiServer } from "../../backends/openai-server.ts"
import { json, tuneloop } from "../../command-line.ts"
import { requestOf } from "../evaluating/evaluating.ts"
import openAiCompatible from "../../../src/backends/openai-compatible.ts"
import { contentId, digestText } from "../../../src/core/canonical.ts"
import type { DatasetId } from "../../../src/core/rows/frozen-ids.ts"
import type { Example, Preference } from "../../../src/core/rows/example.ts"
import openai from "../../../src/models/openai.ts"
import type { PaidTraining } from "../../../src/stages/context.ts"
import { evaluate } from "../../../src/stages/evaluating/evaluate.ts"
import { train } from "../../../src/stages/training/train.ts"
import { waitForRun } from "../../../src/stages/training/wait.ts"
import { makeFolder } from "../../../src/store/files/files.ts"
import { Versions } from "../../../src/store/rows/versions.ts"
import { backendContext, stageContext, trainableWorkspace } from "./workspace.ts"

/** A version of which a reviewer has corrected so many grown examples, with a validation part. */
const corrections = 3
let corrected: string
beforeAll(async () => {
  corrected = await trainableWorkspace()
  const heldOut = ["good", "bad", "other"].map((output, n) => {
    const body = `h${n}j l${n * 5}d p${n * 11}s c${n * 19}a`
    return { input: { body }, output, split: "validation" }
  })
  const candidates = Array.from({ length: corrections }, (_, n) => {
    const made = {
      strategy: "paraphrase",
      input: { body: `e${n}o r${n * 3}m u${n * 17}b i${n * 31}h` },
      output: "good",
    }
    return { id: contentId("cand", made), parents: [], checks: [], ...made }
  })
  makeFolder(join(corrected, "datasets", "mood", "candidates"))
  const lines = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("")
  writeFileSync(join(corrected, "datasets", "mood", "candidates", "batch.jsonl"), lines(candidates))
  const edits = candidates.map(({ id }) => `${id},edit,bad,amara\n`)
  writeFileSync(join(corrected, "decided.csv"), `id,decision,corrected_output,reviewer\n${edits.join("")}`)
  writeFileSync(join(corrected, "held-out.jsonl"), lines(heldOut))
  await json(corrected, "seed", "import", "mood", join(corrected, "held-out.jsonl"))
  await json(corrected, "review", "import", "mood", join(corrected, "decided.csv"))
  await json(corrected, "build", "mood")
}, 60_000)

let server: OpenAiServer
let folder: string
beforeEach(async () => {
  server = await OpenAiServer.start()
  folder = mkdtempSync(join(tmpdir(), "tuneloop-dpo-"))
  cpSync(corrected, folder, { recursive: true })
  writeJob()
})
afterEach(() => server.close())

const baseModel = "gpt-4.1-mini-2025-04-14"

function writeJob(changes: object = {}) {
  const options = { profile: "custom", baseUrl: server.url, settleSeconds: 0 }
  const job = { schemaVersion: 1, job: "mood", task: "mood", baseModel, objective: "dpo" }
  const backend = { name: "openai-compatible", options }
  writeFileSync(join(folder, "jobs", "mood.yaml"), JSON.stringify({ ...job, backend, ...changes }))
}

/** The command as a process would run it, up to the end of the training. */
function command() {
  const asked: PaidTraining[] = []
  const context = stageContext(folder, { consent: async (act) => void asked.push(act) })
  const { workspace } = context
  const [job, task] = [workspace.readJob("mood"), workspace.readTask("mood")]
  const options = openAiCompatible.options.parse(job.backend.options)
  const backend = openAiCompatible.create(backendContext({ OPENAI_API_KEY: server.key }), options)
  return { context, backend, job, task, asked, train: () => train(context, job, task, backend) }
}

function versions() {
  const all = new Versions(command().context.workspace, "mood")
  return { all, latest: all.latest() as DatasetId }
}

const jobCheck = () => tuneloop(folder, ["job", "check", "mood"]).outcome

describe("a dpo job", () => {
  it("trains on reviewers' corrections, the same rows as their export, without validation", async () => {
    writeJob({ hyperparameters: { beta: 0.3 } })
    const { train, asked } = command()
    const { all, latest } = versions()
    expect(all.rows(all.manifest(latest).holdout, "validation.jsonl")).toHaveLength(3)
    const { planned } = await train()
    expect(planned.plan).toMatchObject({
      objective: "dpo",
      hyperparameters: { beta: 0.3 },
      files: { train: { rows: corrections }, validation: { rows: 0 } },
    })
    const sent = server.files.get(server.newest.training_file) ?? ""
    const rows = sent
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
    expect(rows).toHaveLength(corrections)
    for (const row of rows)
      expect(row).toMatchObject({
        input: { messages: [{ role: "system" }, { role: "user" }] },
        preferred_output: [{ role: "assistant", content: "bad" }],
        non_preferred_output: [{ role: "assistant", content: "good" }],
      })
    expect(asked[0]?.firstRow).toBe(sent.split("\n")[0])
    expect(server.newest).toMatchObject({
      validation_file: null,
      method: { type: "dpo", dpo: { hyperparameters: { n_epochs: 3, beta: 0.3 } } },
    })
    const shown = await tuneloop(folder, ["runs", "show", "latest"]).outcome
    expect(shown.stdout).toMatch(/, dpo and lora, ds_\w+ \(3 preferences\), holdout/)
    const out = join(folder, "pairs.jsonl")
    await json(folder, "dataset", "export", "mood", "--format", "preference-openai", "--out", out)
    expect(readFileSync(out, "utf8")).toBe(sent)
  })

  it("makes a model that is evaluated as any other", async () => {
    const { context, backend, job, task, train } = command()
    const { run } = await train()
    await waitForRun(context, run.run, backend, () => server.succeed())
    const settings = { ...job, evaluation: { ...job.evaluation, contenders: ["few-shot"] } }
    const { result } = await evaluate(context, {
      ...(await requestOf(task, settings, run.run, backend)),
      served: {
        open: ({ baseUrl }) => openai.create({ OPENAI_API_KEY: server.key }, { baseUrl, fetch, readText: () => "" }),
        consent: async () => undefined,
      },
    })
    expect(result.contenders.map(({ name }) => name)).toEqual(["tuned", "few-shot"])
    expect(result.contenders[0]?.metrics["accuracy"]?.n).toBeGreaterThan(0)
  })

  it("shows the first preference as it is sent before anything is, and says that there is no validation", async () => {
    const [first] = versions().all.preferences(versions().latest)
    for (const words of [
      ["job", "check", "mood"],
      ["train", "mood", "--dry-run"],
    ]) {
      const { code, stdout, stderr } = await tuneloop(folder, words).outcome
      expect(code, stderr).toBe(0)
      expect(stdout).toMatch(/would train \S+ by dpo and lora on ds_\w+ \(3 preferences, no validation\) on openai-/)
      const shown = stdout.split("the first preference, as it is sent:\n")[1] ?? ""
      const body = expect.stringContaining(String(first?.input["body"]))
      expect(JSON.parse(shown)).toMatchObject({
        input: { messages: [{ role: "system" }, { content: body }] },
        preferred_output: [{ content: "bad" }],
        non_preferred_output: [{ content: "good" }],
      })
    }
    expect(server.calls).toEqual([])
  })
})

describe("a dpo job is refused", () => {
  it("for a version without corrections, which says how they are made", async () => {
    const bare = await trainableWorkspace()
    cpSync(join(folder, "jobs"), join(bare, "jobs"), { recursive: true })
    folder = bare
    await expect(command().train()).rejects.toMatchObject({
      code: "gate",
      message: expect.stringMatching(/^ds_\w+ has no preferences.* no kept example was corrected in a review$/),
      hint: expect.stringMatching(/tuneloop review serve mood\), then: tuneloop build mood, or set objective: sft/),
    })
    expect(server.calls).toEqual([])
  })

  it.each<[string, (rows: readonly Example[], other: Preference | undefined) => Partial<Preference>]>([
    ["is held out", ([heldOut]) => ({ id: `pref_${heldOut?.id.slice(3)}`, input: heldOut?.input ?? {} })],
    [
      "has the name of a train row and the input of one that is held out",
      ([heldOut]) => ({ input: heldOut?.input ?? {} }),
    ],
    [
      "is held out and has the name of another preference",
      ([heldOut], other) => ({ id: other?.id ?? "", input: heldOut?.input ?? {} }),
    ],
  ])("where a preference's row %s, by an export as well", async (_name, changes) => {
    const { all, latest } = versions()
    const manifest = all.manifest(latest)
    const [first, ...others] = all.preferences(latest)
    const strange = { ...first, ...changes(all.rows(manifest.holdout, "test.jsonl"), others[0]) }
    const text = [strange, ...others].map((row) => `${JSON.stringify(row)}\n`).join("")
    // The id stands for the files, so that nothing else is wrong with the version.
    const files = { ...manifest.files, "preferences.jsonl": { rows: corrections, digest: digestText(text) } }
    const id = contentId("ds", { task: "mood", recipe: manifest.recipe, files })
    const place = join(folder, "datasets", "mood", "versions")
    writeFileSync(join(place, latest, "preferences.jsonl"), text)
    writeFileSync(join(place, latest, "manifest.json"), JSON.stringify({ ...manifest, files, id }))
    renameSync(join(place, latest), join(place, id))
    writeJob({ dataset: id })
    const message = new RegExp(`^1 of ${corrections} preferences of ${id} are not about its train rows: pref_`)
    await expect(command().train()).rejects.toMatchObject({ code: "gate", message: expect.stringMatching(message) })
    expect(server.calls).toEqual([])
    const words = ["--dataset", id, "--format", "preference-trl", "--out", join(folder, "pairs.jsonl")]
    const exported = await tuneloop(folder, ["dataset", "export", "mood", ...words]).outcome
    expect(exported.code).not.toBe(0)
    expect(exported.stderr).toMatch(/not about its train rows/)
  })

  it("where the service takes no fewer than ten", async () => {
    writeJob({ backend: { name: "openai-compatible" } })
    const { code, stdout } = await jobCheck()
    expect(code).toBe(2)
    expect(stdout).toMatch(
      /has 1 problem\n {2}the version has 3 preferences; the service takes 10 or more\n {4}Correct/,
    )
  })

  it.each([
    ["local", { name: "local" }],
    ["openai-compatible", { name: "openai-compatible", options: { profile: "nebius" } }],
  ])("by %s, once, with what it has", async (name, backend) => {
    writeJob({ backend })
    const { code, stdout } = await jobCheck()
    expect(code).toBe(2)
    expect(stdout).toContain(`has 1 problem\n  ${name} does not have the objective dpo (it has: sft), as of 2026-`)
  })

  it("with a beta that another objective would not follow", async () => {
    writeJob({ objective: "sft", hyperparameters: { beta: 0.1 } })
    const { code, stderr } = await jobCheck()
    expect(code).toBe(2)
    expect(stderr).toMatch(/hyperparameters\.beta: only the objective dpo has it; leave it out, or set objective: dpo/)
  })

  it("at the learning rate of sft, where the backend follows it", async () => {
    writeJob({ backend: { name: "together" } })
    const { code, stdout } = await jobCheck()
    expect(code).toBe(2)
    expect(stdout).toContain("together would train dpo at a learning rate of 0.0002, the default for sft")
    writeJob({ backend: { name: "together" }, hyperparameters: { learningRate: 5e-6 } })
    expect((await jobCheck()).stdout).not.toContain("learning rate")
  })

  it("by a count of tokens, which knows only pairs of input and output", async () => {
    writeJob({ backend: { name: "local" } })
    const { code, stderr } = await tuneloop(folder, ["dataset", "tokens", "mood"]).outcome
    expect(code).toBe(2)
    expect(stderr).toMatch(/no form for preferences/)
  })
})
