import { appendFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import type { TogetherServer } from "../backends/together-server.ts"
import { tuneloop } from "../command-line.ts"
import { deployableRun } from "../stages/deploying/deployable.ts"
import { stageContext } from "../stages/training/workspace.ts"

let server: TogetherServer
let folder: string
let run: string
beforeEach(async () => {
  ;({ server, folder, run } = await deployableRun())
  appendFileSync(join(folder, "specs", "mood.yaml"), "verdict: {incumbent: linear}\n")
})
afterEach(() => server.close())

const start = (...words: string[]) => tuneloop(folder, words, { TOGETHER_API_KEY: server.key })
const outcomeOf = (...words: string[]) => start(...words).outcome
const printed = async (...words: string[]) => {
  const { stdout, stderr, code } = await outcomeOf(...words, "--json")
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}
const evaluation = ["evaluate", "latest", "--against", "linear"]

it("runs deploy says the price first and needs --yes; what bills is shown until runs undeploy ends it", async () => {
  const plan = await outcomeOf("runs", "deploy", "latest", "--hours", "2", "--dry-run")
  expect(plan.stdout).toMatch(/would deploy org\/mood.* at together on 1xnvidia-h100-80gb/)
  expect(plan.stdout).toMatch(
    /price: \$3\.60 an hour, asked or idle \(as of 20\d\d-\d\d-\d\d: .*inference-instance-types\); up to \$7\.20/,
  )
  const unasked = await outcomeOf("runs", "deploy", "latest")
  expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining("price: $3.60 an hour")])
  expect(unasked.stderr).toContain("Give --yes to start.")
  expect(server.endpoints.made).toEqual([])
  const made = await printed("runs", "deploy", "latest", "--yes", "--wait")
  expect(made).toMatchObject({ outcome: "deployed", usdPerHour: 3.6, isBilling: true })
  expect(made.endpoint).toMatchObject({ baseUrl: server.url, model: server.endpoints.names[0]?.name })
  expect(await printed("runs", "deploy", "latest", "--yes")).toMatchObject({ outcome: "unchanged", lease: made.lease })
  const status = await outcomeOf("status")
  expect(status.stdout).toMatch(/billing now:\n {2}mood-\S+ is deployed on 1xnvidia-h100-80gb: \$3\.60 an hour/)
  expect(status.stdout).toMatch(/ since .* UTC, about \$.* so far; its lease ends .* UTC; .* runs undeploy mood-/)
  expect(await printed("status")).toMatchObject({ deployments: [{ run, usdPerHour: 3.6, isExpired: false }] })
  expect(JSON.parse((await outcomeOf("doctor", "--json")).stdout).checks).toContainEqual(
    expect.objectContaining({ name: "deployment", status: "warning" }),
  )
  expect((await printed("runs", "show", "latest")).deployments).toMatchObject([{ state: "deployed" }])
  const ended = await outcomeOf("runs", "undeploy", "latest")
  expect(ended.stderr).toContain("is deployed on")
  expect(ended.stdout).toMatch(/was deployed on 1xnvidia-h100-80gb, .*: a person ended it/)
  expect(server.endpoints.billing).toEqual([])
  expect(await printed("status")).toMatchObject({ deployments: [] })
  expect((await outcomeOf("runs", "undeploy", "latest")).stdout).toBe("nothing of this workspace is deployed there\n")
})

it("runs undeploy --on ends what this workspace has there, and leaves alone what others have", async () => {
  await printed("runs", "deploy", "latest", "--yes")
  const [mine] = server.endpoints.made
  if (mine === undefined) throw new Error("nothing was deployed")
  for (const [at, name] of ["org/tuneloop-ffffffffffffffff", "org/somebodys-own"].entries()) {
    const endpoint = { ...mine.endpoint, id: `ep_${at + 2}`, name }
    server.endpoints.names.push(endpoint)
    server.endpoints.made.push({ ...mine, id: `dep_${at + 2}`, endpoint })
  }
  expect(await printed("runs", "undeploy", "--on", "together", "--dry-run")).toMatchObject({
    dryRun: true,
    standing: [{ run }],
    others: [{ id: "ep_2/dep_2" }],
  })
  const { things } = await printed("runs", "ls", "--on", "together")
  const listed = things.filter(({ kind }: { kind: string }) => kind === "deployment")
  expect(listed.map(({ id, run: of }: { id: string; run: string | null }) => [id, of])).toEqual([
    ["ep_3/dep_3", null],
    ["ep_2/dep_2", null],
    ["ep_1/dep_1", run],
  ])
  const { stdout } = await outcomeOf("runs", "undeploy", "--on", "together")
  expect(stdout).toMatch(/left alone: ep_2\/dep_2 .* at together: it was deployed by Tuneloop, under no lease/)
  expect(server.endpoints.billing.map(({ id }) => id)).toEqual(["dep_2", "dep_3"])
})

it("runs undeploy --on ends the others where one cannot be ended", async () => {
  server.jobs.push({ ...server.newest, id: "ft-2", model_output_name: "org/theirs", model_object_id: "ml_ft-2" })
  const options = { baseUrl: server.url, settleSeconds: 0 }
  writeFileSync(join(folder, "tuneloop.yaml"), JSON.stringify({ backends: { here: { name: "together", options } } }))
  const adopted = await printed("runs", "adopt", "here", "ft-2", "--task", "mood")
  for (const each of [run, adopted.runs[0].run]) await printed("runs", "deploy", each, "--yes")
  server.faults.push({ call: /^PATCH \S+autoscaling$/, when: "before", answer: { status: 403 } })
  const { code, stderr } = await outcomeOf("runs", "undeploy", "--on", "together")
  expect([code, stderr]).toEqual([1, expect.stringMatching(/may go on billing: together answered HTTP 403/)])
  expect(server.endpoints.billing).toHaveLength(1)
  expect((await outcomeOf("runs", "undeploy", "--on", "together")).code).toBe(0)
  expect(server.endpoints.billing).toEqual([])
})

it("evaluate deploys nothing unless it is asked to, and says what it would cost", async () => {
  const refused = await outcomeOf(...evaluation, "--yes")
  expect([refused.code, server.endpoints.made]).toEqual([3, []])
  expect(refused.stderr).toContain("answers nobody before it is deployed")
  expect(refused.stderr).toContain("price: $3.60 an hour")
  expect(refused.stderr).toContain(`tuneloop evaluate ${run} --deploy --yes`)
  expect((await outcomeOf(...evaluation, "--deploy")).code).toBe(2)
  expect(server.endpoints.made).toEqual([])
  // Nor is the test set opened for nothing.
  const { plan } = await printed("runs", "show", "latest")
  expect(await stageContext(folder).ledger().openings.of(plan.holdout)).toEqual([])
})

it("evaluate says what to compare with where the base is not served, before it deploys or opens anything", async () => {
  const spec = join(folder, "specs", "mood.yaml")
  writeFileSync(spec, readFileSync(spec, "utf8").replace("incumbent: linear", "incumbent: few-shot"))
  const refused = await outcomeOf("evaluate", "latest", "--deploy", "--yes")
  expect(refused.code).not.toBe(0)
  expect(refused.stderr).toMatch(/together does not answer for the base model \S+, which zero-shot and few-shot need: /)
  expect(refused.stderr).toContain("Set verdict.incumbent: linear in specs/mood.yaml")
  expect(refused.stderr).toContain(`tuneloop evaluate ${run} --against linear --deploy`)
  expect(server.endpoints.made).toEqual([])
  const { plan } = await printed("runs", "show", "latest")
  expect(await stageContext(folder).ledger().openings.of(plan.holdout)).toEqual([])
})

it("evaluate deploys nothing where the host that answers may not be asked", async () => {
  const file = join(folder, "jobs", "runs", run, "plan.json")
  const plan = JSON.parse(readFileSync(file, "utf8"))
  plan.backend.options.inferenceUrl = "https://questions.example/v1"
  writeFileSync(file, JSON.stringify(plan))
  const { code, stderr } = await outcomeOf(...evaluation, "--deploy", "--yes")
  expect([code, stderr]).toEqual([4, expect.stringContaining("examples may not be sent to questions.example")])
  expect(server.endpoints.names).toEqual([])
  expect(await stageContext(folder).ledger().openings.of(plan.holdout)).toEqual([])
})

it("Ctrl-C does not wait for what drains, and says that it bills", async () => {
  server.endpoints.drain = 1000
  const call = /chat\/completions$/
  server.faults.push({ call, when: "after", answer: "held" })
  const { child, outcome } = start(...evaluation, "--deploy", "--yes")
  await server.arrival(call)
  child.kill("SIGINT")
  const { code, stderr } = await outcome
  expect([code, stderr]).toEqual([
    130,
    expect.stringContaining("was told to stop, and bills $3.6 an hour until it has"),
  ])
  expect((await outcomeOf("runs", "sync")).stdout).toContain("was told to end and may be deployed still")
})

it("evaluate --deploy makes the deployment, asks it, and tears it down; kept answers need none", async () => {
  server.endpoints.patience = 1
  const result = await printed(...evaluation, "--deploy", "--yes")
  const [tuned] = result.contenders
  expect(tuned).toMatchObject({ name: "tuned", latencyMs: { n: tuned.metrics.accuracy.n, p95: expect.any(Number) } })
  expect(server.endpoints.made).toHaveLength(1)
  expect(server.endpoints.billing).toEqual([])
  const asked = server.calls.filter((call) => call.endsWith("/chat/completions")).length
  expect(asked).toBeGreaterThan(0)
  const { deployments } = await printed("runs", "show", "latest")
  expect(deployments).toMatchObject([{ purpose: "evaluation", state: "over", reason: "its evaluation has ended" }])
  // Another rule scores the same answers.
  const spec = join(folder, "specs", "mood.yaml")
  writeFileSync(spec, readFileSync(spec, "utf8").replace("verdict: {", "verdict: {confidence: 0.9, "))
  await printed(...evaluation)
  expect(server.calls.filter((call) => call.endsWith("/chat/completions"))).toHaveLength(asked)
  expect(server.endpoints.made).toHaveLength(1)
})

it("evaluate uses a deployment that stands, and leaves it", async () => {
  await printed("runs", "deploy", "latest", "--yes")
  await printed(...evaluation)
  expect(server.endpoints.made).toHaveLength(1)
  expect(server.endpoints.billing).toHaveLength(1)
})

it("Ctrl-C during an evaluation tears its deployment down", async () => {
  const call = /chat\/completions$/
  server.faults.push({ call, when: "after", answer: "held" })
  const { child, outcome } = start(...evaluation, "--deploy", "--yes")
  await server.arrival(call)
  child.kill("SIGINT")
  const { code, stderr } = await outcome
  expect([code, stderr]).toEqual([130, expect.stringContaining("is torn down; it cost about $")])
  expect(server.endpoints.billing).toEqual([])
})

it("a kill during an evaluation leaves a lease that runs sync tears down, or the next evaluation uses", async () => {
  const call = /chat\/completions$/
  const kill = async () => {
    server.faults.push({ call, when: "after", answer: "held" })
    const { child, outcome } = start(...evaluation, "--deploy", "--yes")
    await server.arrival(call)
    child.kill("SIGKILL")
    await outcome
  }
  await kill()
  expect((await outcomeOf("status")).stdout).toContain("for an evaluation: $3.60 an hour")
  const synced = await printed("runs", "sync")
  expect(synced.leases).toMatchObject([{ run, outcome: "ended" }])
  expect(server.endpoints.billing).toEqual([])
  await kill()
  expect(server.endpoints.billing).toHaveLength(1)
  // What was agreed to before the crash needs no word again.
  await printed(...evaluation)
  expect(server.endpoints.made).toHaveLength(2)
  expect(server.endpoints.billing).toEqual([])
})

it("an evaluation ends with its lease, and the next one goes on with what was answered", async () => {
  const call = /chat\/completions$/
  server.faults.push({ call, when: "after", answer: "held" })
  const { code, stderr } = await outcomeOf(...evaluation, "--deploy", "--yes", "--hours", "0.002")
  expect([code, stderr]).toEqual([1, expect.stringContaining("ended before its questions were answered")])
  expect(server.endpoints.billing).toEqual([])
  server.release()
  const before = server.calls.filter((each) => call.test(each)).length
  const result = await printed(...evaluation, "--deploy", "--yes")
  expect(server.calls.filter((each) => call.test(each)).length - before).toBeLessThan(before + 2)
  expect(result.contenders).toHaveLength(2)
})

it("a lease whose time is up is said to bill until runs sync has torn it down", async () => {
  await printed("runs", "deploy", "latest", "--yes", "--hours", "0.0001")
  const { stdout } = await outcomeOf("status")
  expect(stdout).toMatch(/its lease ended .* UTC and it may still bill: tuneloop runs sync/)
  expect((await outcomeOf("runs", "sync")).stdout).toMatch(/was deployed on 1xnvidia-h100-80gb, .*its time was up/)
  expect(server.endpoints.billing).toEqual([])
})

it("runs deploy says of a service that needs no deployment, or takes none, how its models are served", async () => {
  const backend = { name: "openai-compatible", options: { profile: "azure", baseUrl: server.url } }
  const file = join(folder, "jobs", "runs", run, "plan.json")
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), backend }))
  const { code, stderr } = await outcomeOf("runs", "deploy", "latest", "--yes")
  expect([code, stderr]).toEqual([2, expect.stringContaining("takes deployments at its control plane only")])
  expect((await outcomeOf("runs", "deploy", "latest", "--hours", "0")).stderr).toContain("more than 0 and at most 744")
})

it("runs deploy --wait ends what never answers", async () => {
  server.endpoints.fate = "FAILED"
  const { code, stderr } = await outcomeOf("runs", "deploy", "latest", "--yes", "--wait")
  expect([code, stderr]).toEqual([1, expect.stringContaining("came to nothing: the service says that it is failed")])
  expect(server.endpoints.billing).toEqual([])
})

it("Ctrl-C while the create is under way says that it may bill, and runs sync finds it", async () => {
  const call = /^POST \S+\/deployments$/
  server.faults.push({ call, when: "after", answer: "held" })
  const { child, outcome } = start("runs", "deploy", "latest", "--yes")
  await server.arrival(call)
  child.kill("SIGINT")
  const { code, stderr } = await outcome
  expect([code, stderr]).toEqual([130, expect.stringContaining(`tuneloop runs undeploy ${run}`)])
  expect((await printed("runs", "sync")).leases).toMatchObject([{ outcome: "billing", state: "deployed" }])
})

it("train --dry-run says what serving costs while idle, and that the weights can be taken home", async () => {
  const { stdout, stderr } = await outcomeOf("train", "mood", "--dry-run")
  expect(stdout, stderr).toMatch(/serving while idle: 3\.6 USD an hour \(provider, 1xnvidia-h100-80gb, as of 2026/)
  expect(stdout).toContain("weights: the adapter can be taken home (`runs fetch`)")
})
