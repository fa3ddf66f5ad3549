import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { trainableWorkspace } from "../stages/training/workspace.ts"
import { json, sampleWorkspace, snapshot, tuneloop } from "../command-line.ts"

const job = (folder: string) => join(folder, "jobs", "mood.yaml")

it("of a good job prints its plan and estimate, and leaves nothing behind", async () => {
  const folder = await trainableWorkspace()
  const before = snapshot(folder)
  const { code, stdout, stderr } = await tuneloop(folder, ["job", "check", "mood"]).outcome
  expect([code, stderr]).toEqual([0, "Next: tuneloop train mood --wait\n"])
  expect(stdout).toMatch(/^jobs\/mood\.yaml is ready to train\nwould train gpt-4\.1-mini-2025-04-14 by lora on ds_/)
  expect(stdout).toMatch(/rows: \d+ \(measured\)/)
  const printed = await json<{ ok: boolean; problems: unknown[]; planDigest: string }>(folder, "job", "check", "mood")
  expect(printed).toMatchObject({ ok: true, problems: [], planDigest: expect.stringMatching(/^sha256:/) })
  expect(snapshot(folder)).toEqual(before)
  expect(existsSync(join(folder, "jobs", "runs"))).toBe(false)
})

it("names the line of an option that the backend does not have, and of a backend that is not there", async () => {
  const folder = await trainableWorkspace()
  const write = (backend: string) =>
    writeFileSync(job(folder), `schemaVersion: 1\njob: mood\ntask: mood\nbaseModel: m\nbackend:\n${backend}`)
  write("  name: local\n  options:\n    thread: 2\n")
  const wrong = await tuneloop(folder, ["job", "check", "mood"]).outcome
  expect(wrong.code).toBe(2)
  expect(wrong.stderr).toContain('jobs/mood.yaml:8: backend.options.thread: unknown key; did you mean "threads"?')
  write("  name: locl\n")
  const unknown = await tuneloop(folder, ["job", "check", "mood", "--json"]).outcome
  expect(unknown.code).toBe(2)
  expect(JSON.parse(unknown.stderr).error).toMatchObject({
    code: "invalid-config",
    message: expect.stringMatching(
      /jobs\/mood\.yaml:6: backend\.name: there is no backend "locl"; allowed: .*did you mean "local"/,
    ),
  })
})

it("status and build name a job that can be trained next, not one at a closed service", async () => {
  const folder = await trainableWorkspace({ backend: { name: "fireworks" } })
  const nextOf = async (...words: string[]) => {
    const { stdout, stderr } = await tuneloop(folder, words).outcome
    return /tuneloop (job|train) .*$/m.exec(stdout + stderr)?.[0]
  }
  for (const words of [["status"], ["build", "mood"]]) expect(await nextOf(...words)).toBe("tuneloop job check mood")
  const open = { schemaVersion: 1, job: "open", task: "mood", baseModel: "m" }
  writeFileSync(join(folder, "jobs", "open.yaml"), JSON.stringify(open))
  for (const words of [["status"], ["build", "mood"]]) expect(await nextOf(...words)).toBe("tuneloop train open --wait")
})

it("says since when a service is closed, and what to use instead", async () => {
  const folder = await trainableWorkspace()
  writeFileSync(job(folder), "schemaVersion: 1\njob: mood\ntask: mood\nbaseModel: m\nbackend: { name: fireworks }\n")
  const checked = await tuneloop(folder, ["job", "check", "mood"]).outcome
  expect(checked.code).toBe(2)
  expect(checked.stderr).toMatch(/fireworks has taken no more jobs since 2026-11-15 \(.*docs\.fireworks\.ai/)
  expect(checked.stderr).toMatch(/use openai-compatible/)
  const { code, stdout } = await tuneloop(folder, ["doctor"]).outcome
  expect(code).toBe(1)
  expect(stdout).toMatch(/FAILED {3}job mood: fireworks has taken no more jobs since 2026-11-15/)
})

it("takes a backend by the workspace's own name, and plans as if its options stood in the job", async () => {
  const folder = await trainableWorkspace()
  const planDigest = async (backend: string) => {
    writeFileSync(job(folder), `schemaVersion: 1\njob: mood\ntask: mood\nbaseModel: m\nbackend: ${backend}\n`)
    return (await json<{ planDigest: string }>(folder, "job", "check", "mood")).planDigest
  }
  const written = await planDigest("{ name: local, options: { threads: 3 } }")
  writeFileSync(join(folder, "tuneloop.yaml"), "backends: { big-machine: { name: local, options: { threads: 3 } } }\n")
  expect(await planDigest("{ name: big-machine }")).toBe(written)
  expect(await planDigest("{ name: big-machine, options: { threads: 4 } }")).not.toBe(written)
})

it("a dry run needs no key; a training does, before anybody is asked about money", async () => {
  const folder = await trainableWorkspace({ backend: { name: "openai-compatible" } })
  const dry = await tuneloop(folder, ["train", "mood", "--dry-run"]).outcome
  expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining("weights: cannot be taken home")])
  expect(dry.stderr).toContain("openai-compatible was not asked whether it takes the plan: OPENAI_API_KEY is not set")
  const { code, stderr } = await tuneloop(folder, ["train", "mood", "--yes"]).outcome
  expect([code, stderr]).toEqual([2, expect.stringContaining("OPENAI_API_KEY is not set")])
})

it("refuses a setting that the service does not follow, and names those that it does", async () => {
  const folder = await trainableWorkspace()
  const backend =
    "{ name: openai-compatible }\nmethod: { name: lora, rank: 64 }\nhyperparameters: { learningRate: 1e-5 }"
  writeFileSync(job(folder), `schemaVersion: 1\njob: mood\ntask: mood\nbaseModel: m\nbackend: ${backend}\n`)
  const { code, stdout } = await tuneloop(folder, ["job", "check", "mood", "--json"]).outcome
  expect(code).toBe(2)
  const [problem] = (JSON.parse(stdout) as { problems: { code: string; message: string }[] }).problems
  expect(problem?.code).toBe("unsupported")
  expect(problem?.message).toMatch(/the setting rank \(it follows: epochs, batchSize, learningRateMultiplier\)/)
  expect(problem?.message).toMatch(/and the setting learningRate /)
})

it("refuses one that the file says at its default too: it would be dropped all the same", async () => {
  const backend = { name: "openai-compatible" }
  const folder = await trainableWorkspace({ backend, hyperparameters: { epochs: 3, learningRate: 0.0002 } })
  for (const words of [
    ["job", "check", "mood"],
    ["train", "mood", "--dry-run"],
    ["train", "mood", "--yes"],
  ]) {
    const { code, stdout, stderr } = await tuneloop(folder, words).outcome
    expect([code, stdout + stderr]).toEqual([2, expect.stringContaining("the setting learningRate (it follows:")])
    expect(stdout + stderr).not.toContain("the setting rank")
  }
})

it("lists all that is wrong beyond the file, with what to do", async () => {
  const folder = sampleWorkspace()
  const { code, stdout } = await tuneloop(folder, ["job", "check", "ticket-triage", "--json"]).outcome
  expect(code).toBe(2)
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    problems: [{ code: "no-dataset", hint: expect.stringContaining("tuneloop build ticket-triage") }],
  })
  writeFileSync(join(folder, "specs", "ticket-triage.yaml"), "task: ticket-triage\n")
  const text = await tuneloop(folder, ["job", "check", "ticket-triage"]).outcome
  expect(text.code).toBe(2)
  expect(text.stdout).toMatch(/^jobs\/ticket-triage\.yaml has 1 problem\n {2}specs\/ticket-triage\.yaml is invalid/)
})

it("of a job that is not there names those that are", async () => {
  const { code, stderr } = await tuneloop(sampleWorkspace(), ["job", "check", "ticket-triag"]).outcome
  expect(code).toBe(2)
  expect(stderr).toContain('did you mean "ticket-triage"?')
})

it("doctor goes on where a job or the workspace cannot be used", async () => {
  const folder = await trainableWorkspace()
  writeFileSync(join(folder, "jobs", "broken.yaml"), "job: [\n")
  const { code, stdout } = await tuneloop(folder, ["doctor", "--json"]).outcome
  expect(code).toBe(1)
  const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; hint?: string }[] }
  expect(checks).toContainEqual(
    expect.objectContaining({ name: "job broken", status: "failed", hint: "tuneloop job check broken" }),
  )
  expect(checks.some(({ name }) => name.startsWith("local: "))).toBe(true)
  const nowhere = await tuneloop(join(folder, "nowhere"), ["doctor", "--json"]).outcome
  expect(nowhere.code, nowhere.stderr).toBe(1)
  expect(JSON.parse(nowhere.stdout).checks.map(({ name }: { name: string }) => name)).toContain("workspace")
})

it("says what would keep the job from training: a host that is not allowed, a ceiling where no price is known", async () => {
  const folder = await trainableWorkspace()
  const backend = "{ name: openai-compatible, options: { profile: crusoe } }"
  writeFileSync(
    job(folder),
    `schemaVersion: 1\njob: mood\ntask: mood\nbaseModel: m\nbackend: ${backend}\nbudgetUsd: 5\n`,
  )
  const { code, stdout } = await tuneloop(folder, ["job", "check", "mood"]).outcome
  expect([code, stdout]).toEqual([2, expect.stringMatching(/^jobs\/mood\.yaml has 2 problems\n/)])
  expect(stdout).toMatch(/examples may not be sent to \S+crusoe\S*; allowed: /)
  expect(stdout).toContain("nobody wrote down what training on m costs, and budgetUsd in jobs/mood.yaml is a ceiling")
  expect(stdout).toContain("cost: not known, nobody wrote down what training on m costs (prices.yaml)")
  expect(stdout).toMatch(/train rows: [\d,]+ bytes, sha256:\w{64}/)
  writeFileSync(join(folder, "tuneloop.yaml"), "allowedHosts: [127.0.0.1]\n")
  const dry = await tuneloop(folder, ["train", "mood", "--dry-run"]).outcome
  expect([dry.code, dry.stderr]).toEqual([4, expect.stringContaining("may not be sent to")])
})
