import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { OpenAiServer } from "../../backends/openai-server.ts"
import { linesOf, tuneloop } from "../../command-line.ts"
import { writeHostedJob } from "../../stages/training/hosted-command.ts"
import { trainableWorkspace } from "../../stages/training/workspace.ts"

let server: OpenAiServer
let folder: string
beforeEach(async () => {
  server = await OpenAiServer.start()
  folder = await trainableWorkspace()
  writeHostedJob(folder, "mood", server)
  const price = { match: "gpt-4.1-mini", usdPerMillionTokens: 5, asOf: "2026-11-22", source: "a test" }
  writeFileSync(join(folder, "prices.yaml"), JSON.stringify({ models: [], training: [price] }))
})
afterEach(() => server.close())

const run = (...words: string[]) => tuneloop(folder, words, { OPENAI_API_KEY: server.key, USER: "amara" }).outcome
const printed = async (...words: string[]) => {
  const { stdout, stderr, code } = await run(...words, "--json")
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}
const theRun = () => readdirSync(join(folder, "jobs", "runs"))[0] ?? ""

it("runs sync says how each run goes, and ends with 1 where one could not be looked at", async () => {
  expect((await run("runs", "sync")).stdout).toBe("every run is over\n")
  await printed("train", "mood", "--yes")
  server.step()
  expect(await printed("runs", "sync")).toMatchObject({
    runs: [{ run: theRun(), backend: "openai-compatible", before: "queued", state: "running", outcome: "current" }],
  })
  server.close()
  const { code, stdout, stderr } = await run("runs", "sync")
  expect(code).toBe(1)
  expect(stdout).toMatch(/running +running +0 +no, unreachable/)
  expect(stderr).toContain("is as it was last known, its provider is unreachable: 127.0.0.1:")
  expect(stderr).toContain("tuneloop doctor --backend openai-compatible\n  Look again: tuneloop runs sync\n")
})

it("runs resolve takes a person's word, once it is a whole one", async () => {
  const lagging = { profile: "custom", baseUrl: server.url, settleSeconds: 3600 }
  writeHostedJob(folder, "mood", server, { backend: { name: "openai-compatible", options: lagging } })
  server.listLagMs = Number.POSITIVE_INFINITY
  server.faults.push({ call: /^POST \S+\/jobs$/, when: "after", answer: "cut" })
  expect((await run("train", "mood", "--yes")).stderr).toContain(`tuneloop runs resolve ${theRun()} --created ID`)
  expect(await run("runs", "resolve", "latest")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(new RegExp(`either.*\\n.*tuneloop runs show ${theRun()}`)),
  })
  const synced = await run("runs", "sync")
  expect([synced.code, synced.stdout]).toEqual([0, expect.stringContaining("yes, uncertain")])
  const resolved = await run("runs", "resolve", "latest", "--created", "ftjob-1")
  expect(resolved.stdout).toBe(
    `${theRun()} has the job ftjob-1 and is queued; bring it up to date: tuneloop runs sync\n`,
  )
  const { events } = await printed("runs", "show", "latest")
  expect(events).toContainEqual(expect.objectContaining({ type: "resolved", by: "amara", at: expect.any(String) }))
  const refused = await run("runs", "resolve", "latest", "--not-created")
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain("is queued, with the job ftjob-1; only a run that is uncertain")
})

it("runs pause lets a run stand still until runs resume, and says of one that is over that it is", async () => {
  await printed("train", "mood", "--yes")
  server.step()
  const id = theRun()
  expect((await run("runs", "pause", "latest")).stdout).toBe(
    `${id} is paused; let it go on: tuneloop runs resume ${id}\n`,
  )
  expect(await printed("runs", "pause", "latest")).toMatchObject({ state: "paused" })
  expect(await printed("train", "mood", "--yes")).toMatchObject({ outcome: "reattached", state: "paused" })
  expect(await printed("runs", "resume", "latest")).toMatchObject({ state: "running" })
  expect(server.calls.filter((call) => /(pause|resume)$/.test(call))).toHaveLength(2)
  server.succeed()
  const refused = await run("runs", "resume", "latest")
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining(`${id} is succeeded: there is nothing to resume`),
  ])
})

it("runs fetch brings what the job made once, and says where it lies", async () => {
  await printed("train", "mood", "--yes")
  expect((await run("runs", "fetch", "latest")).stdout).toContain("has no files")
  server.newest.result_files.push(server.store.keep("metrics.csv", Buffer.from("step,loss\n1,2\n"), "results"))
  server.succeed()
  // Whoever syncs brings it already; without it, fetch does.
  await printed("runs", "sync")
  const place = `jobs/runs/${theRun()}/results/metrics.csv`
  writeFileSync(join(folder, place), "half")
  const first = await run("runs", "fetch", "latest")
  expect(first.stdout).toContain(`${place}, 14 bytes\nthe model answers at the provider: ft:`)
  expect(readFileSync(join(folder, place), "utf8")).toBe("step,loss\n1,2\n")
  const downloads = () => server.calls.filter((call) => call.endsWith("/content")).length
  const before = downloads()
  expect((await run("runs", "fetch", "latest")).stdout).toContain(`here already: ${place}, 14 bytes`)
  expect(downloads()).toBe(before)
})

it("runs show and ls say what a run cost beside what it was thought to, and its checkpoints", async () => {
  await printed("train", "mood", "--yes")
  const checkpoint = (step: number, loss: number) => ({
    ...{ id: `ckpt-${step}`, step_number: step, fine_tuned_model_checkpoint: `ft:step-${step}` },
    metrics: { full_valid_loss: loss },
  })
  server.newest.checkpoints.push(checkpoint(10, 0.9), checkpoint(20, 0.5), checkpoint(30, 0.7))
  expect((await run("runs", "show", "latest")).stdout).toMatch(/cost: not known yet, estimated at \$0\.00\d+/)
  server.succeed()
  expect((await run("runs", "show", "latest")).stdout).toMatch(/cost: \$0\.0060, estimated at \$0\.00\d+/)
  const { stdout } = await run("runs", "show", "latest")
  expect(stdout).toContain("step 20, validation loss 0.500, the lowest, ft:step-20")
  expect(stdout).toContain("step 30, validation loss 0.700, the last, ft:step-30")
  expect(await printed("runs", "ls")).toMatchObject({ runs: [{ costUsd: 0.006, estimateUsd: expect.any(Number) }] })
  expect((await run("runs", "ls")).stdout).toMatch(/\$0\.0060 \(\$0\.00\d+\)/)
  expect((await run("runs", "cancel", "latest")).stdout).toMatch(/is succeeded\ncost: \$0\.0060/)
})

it("runs cancel says what is spent already, or that the service's bill says it", async () => {
  await printed("train", "mood", "--yes")
  server.step()
  const cancelled = (await run("runs", "cancel", "latest")).stdout
  expect(cancelled).toMatch(
    /is cancelled after 1 step; train it anew: .*\nalready spent: not known, of an estimated \$0\.00\d+; /,
  )
  expect(cancelled).toContain("finished steps may be billed")
  server.newest.trained_tokens = 1200
  expect((await run("runs", "cancel", "latest")).stdout).toContain("already spent: ")
})

describe("the checkpoint with the lowest validation loss", () => {
  const lowest = "lowest-validation-loss"
  const checkpoint = (step: number, metrics: Readonly<Record<string, number>>) => ({
    ...{ id: `ckpt-${step}`, step_number: step, fine_tuned_model_checkpoint: `ft:step-${step}` },
    metrics,
  })
  const finished = async (...losses: Readonly<Record<string, number>>[]) => {
    await printed("train", "mood", "--yes")
    server.newest.checkpoints.push(...losses.map((loss, index) => checkpoint(10 * (index + 1), loss)))
    server.succeed()
    await printed("runs", "sync")
  }
  const evaluated = (...more: string[]) =>
    printed("evaluate", "latest", "--against", "few-shot", "--yes", ...more) as Promise<{ evaluation: string }>

  it("is the model where the job says so: the plan, the run and the evaluation take it", async () => {
    writeHostedJob(folder, "mood", server, { checkpoint: lowest })
    expect((await run("train", "mood", "--dry-run")).stderr).toContain("has no validation rows, and checkpoint")
    const rows = ["sun", "moon"].map((word) => ({
      input: { body: `${word} x1 y2 z3` },
      output: "good",
      split: "validation",
    }))
    writeFileSync(join(folder, "more.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
    await printed("seed", "import", "mood", join(folder, "more.jsonl"))
    await printed("build", "mood")
    const dry = await run("train", "mood", "--dry-run")
    expect(dry.stdout, dry.stderr).toContain("checkpoint: the lowest validation loss")
    await finished({ full_valid_loss: 0.5 }, { full_valid_loss: 0.7 })
    const asked: string[] = []
    server.answerOf = (model) => {
      asked.push(model)
      return "good"
    }
    const own = await evaluated()
    expect(new Set(asked)).toEqual(new Set(["ft:step-10", server.models[0]]))
    expect((await run("runs", "show", "latest")).stdout).toContain("the job takes the one with the lowest")
    expect(await printed("runs", "fetch", "latest")).toMatchObject({ model: { id: "ft:step-10" } })
    asked.length = 0
    const other = await evaluated("--checkpoint", "last")
    expect(asked).toContain(server.newest.fine_tuned_model)
    expect(other.evaluation).not.toBe(own.evaluation)
  })

  it("can be had of a run that was trained for its last one, without another training", async () => {
    await finished({ full_valid_loss: 0.5 }, { full_valid_loss: 0.7 })
    expect(await printed("runs", "fetch", "latest", "--checkpoint", lowest)).toMatchObject({
      model: { id: "ft:step-10" },
    })
    await evaluated("--checkpoint", lowest)
    expect(server.jobs).toHaveLength(1)
  })

  it("is refused where no loss is known, and where nothing could measure one", async () => {
    await finished({}, {})
    const { code, stderr } = await run("evaluate", "latest", "--checkpoint", lowest, "--yes")
    expect([code, stderr]).toEqual([2, expect.stringContaining("has no checkpoint with a validation loss")])
    writeHostedJob(folder, "mood", server, { checkpoint: lowest, objective: "dpo" })
    expect((await run("train", "mood")).stderr).toContain("dpo trains without validation rows")
    writeHostedJob(folder, "mood", server, { checkpoint: lowest, backend: { name: "wandb" } })
    expect((await run("train", "mood")).stderr).toContain(`wandb does not have the choice checkpoint: ${lowest}`)
  })
})

describe("what lies at a provider", () => {
  it("is listed with its runs, and what is nobody's here with none", async () => {
    expect((await run("runs", "ls", "--on", "openai-compatible")).stdout).toBe("nothing lies at openai-compatible\n")
    const foreign = server.store.keep("notes.txt", Buffer.from("mine"), "assistants")
    await printed("train", "mood", "--yes")
    const result = server.store.keep("metrics.csv", Buffer.from("step"), "results")
    server.newest.result_files.push(result)
    const { things } = await printed("runs", "ls", "--on", "openai-compatible")
    const { training_file: train } = server.newest
    expect(
      Object.fromEntries(things.map((thing: { id: string; run: string | null }) => [thing.id, thing.run])),
    ).toEqual({
      [foreign]: null,
      [train]: theRun(),
      [result]: theRun(),
      "ftjob-1": theRun(),
    })
    // A slip in another job keeps nothing from being listed, ended or purged.
    writeFileSync(join(folder, "jobs", "slip.yaml"), "job: slip\nbudgetUSD: 1\n")
    const { stdout, stderr } = await run("runs", "ls", "--on", "openai-compatible")
    expect(stderr).toContain("warning: jobs/slip.yaml is invalid")
    expect(stdout).toMatch(new RegExp(`file +${foreign} +notes.txt +4 +2026-05-28 +assistants, processed +–`))
    expect(stdout).toMatch(new RegExp(`job +ftjob-1 .*validating_files +${theRun()}`))
    expect((await run("runs", "ls", "--on", "openai-compatibl")).stderr).toContain("did you mean")
    expect((await run("runs", "ls", "--on", "local")).code).toBe(2)
  })

  it("is one place for runs that only train differently there, by the backend's name and by the workspace's own", async () => {
    const options = { profile: "custom", baseUrl: server.url }
    const other = { name: "openai-compatible", options: { ...options, settleSeconds: 0, pollSeconds: 7 } }
    writeHostedJob(folder, "second", server, { seed: 2, backend: other })
    writeFileSync(join(folder, "tuneloop.yaml"), JSON.stringify({ backends: { own: { ...other, options } } }))
    for (const job of ["mood", "second"]) await printed("train", job, "--yes")
    const runs = readdirSync(join(folder, "jobs", "runs"))
    for (const name of ["openai-compatible", "own"]) {
      const { things } = (await printed("runs", "ls", "--on", name)) as { things: { id: string; run: string }[] }
      expect(things.map(({ id }) => id).sort(), name).toEqual([...new Set(things.map(({ id }) => id))].sort())
      expect(new Set(things.map(({ run }) => run)), name).toEqual(new Set(runs))
    }
    for (const job of server.jobs) server.succeed(job)
    expect((await printed("runs", "purge", "--on", "own", "--yes")).purged).toHaveLength(2)
  })

  it("is one place whether its options say a default, a profile's default, or nothing", async () => {
    // Nobody may send anything there: each place is named in a warning of its own.
    writeFileSync(join(folder, "tuneloop.yaml"), "allowedHosts: [127.0.0.1]\n")
    for (const [job, options] of Object.entries({
      mood: {},
      second: { profile: "openai" },
      third: { baseUrl: "https://api.openai.com/v1" },
      fourth: { apiKeyEnv: "OPENAI_API_KEY", pollSeconds: 7 },
      another: { profile: "nebius" },
    }))
      writeHostedJob(folder, job, server, { backend: { name: "openai-compatible", options } })
    const { stderr } = await run("runs", "ls", "--on", "openai-compatible")
    expect(stderr.match(/could not be listed/g)).toHaveLength(2)
    expect(stderr).toContain("NEBIUS_API_KEY is not set")
  })

  it("and was uploaded for a run is deleted when no job needs it, once somebody agrees", async () => {
    const foreign = server.store.keep("notes.txt", Buffer.from("mine"), "assistants")
    writeHostedJob(folder, "second", server, { seed: 2 })
    for (const job of ["mood", "second"]) await printed("train", job, "--yes")
    const [mood = "", second = ""] = server.jobs.map((job) => job.training_file)
    const there = ["runs", "purge", "--on", "openai-compatible"]
    expect(await printed("runs", "purge", "latest", "--yes")).toMatchObject({
      purged: [],
      kept: [{ remoteId: second, kept: "the job ftjob-2 is validating_files and needs it" }],
    })
    for (const job of server.jobs) server.succeed(job)
    // Another job, which nobody here made, trains on the second run's rows.
    server.jobs.push({ ...server.newest, id: "ftjob-9", status: "running", metadata: {}, events: [] })
    const refused = await run(...there)
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain(
      `would delete at openai-compatible (${server.url}):\n  ${mood}, train.jsonl of mood`,
    )
    expect(refused.stderr).toContain("Give --yes to delete.")
    expect(server.files.size).toBe(3)
    expect(await printed(...there, "--yes")).toMatchObject({
      purged: [{ remoteId: mood, file: "train.jsonl" }],
      kept: [{ remoteId: second, kept: "the job ftjob-9 is running and needs it" }],
    })
    server.jobs.pop()
    // Deleted by hand, it is gone as well.
    server.store.files.delete(second)
    expect(await printed(...there, "--yes")).toMatchObject({ purged: [{ remoteId: second }] })
    expect([...server.files.keys()]).toEqual([foreign])
    expect((await run(...there)).stdout).toBe("nothing to delete\n")
    const events = (await printed("runs", "show", "latest")).events as { type: string; remoteId?: string }[]
    expect(events.flatMap(({ type, remoteId }) => (type === "purged" ? [remoteId] : []))).toEqual([second])
  })

  it("and holds erased rows is named by the erasure, with the command that purges it", async () => {
    server.faults.push({ call: /^POST \S+\/jobs$/, when: "before", answer: { status: 403 } })
    expect((await run("train", "mood", "--yes")).code).toBe(1)
    const [version = ""] = readdirSync(join(folder, "datasets", "mood", "versions")).filter((id) =>
      id.startsWith("ds_"),
    )
    const [row] = linesOf<{ id: string }>(join(folder, "datasets", "mood", "versions", version, "train.jsonl"))
    const seed = row?.id ?? ""
    const { stdout } = await run("dataset", "erase", "mood", seed, "--yes")
    expect(stdout).toContain("file-1 (train.jsonl): tuneloop runs purge")
    await printed("runs", "purge", "latest", "--yes")
    expect(server.files.size).toBe(0)
    const outcome = await run("dataset", "erase", "mood", seed, "--yes", "--json")
    // The file that the rows were imported from has the row still.
    expect([outcome.code, outcome.stdout]).toEqual([3, expect.not.stringContaining("file-1")])
    const again = JSON.parse(outcome.stdout) as { runs: object[] }
    expect(again.runs).toMatchObject([{ uploads: [] }])
    expect(again.runs[0]).not.toHaveProperty("purge")
  })
})
