import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { importSeeds, rowsOf, sampleWorkspace, snapshot, tuneloop } from "../../command-line.ts"
import { ChatServer } from "../../models/chat-server.ts"

// A key that looks like no provider's, so that only knowing it keeps it out of messages.
const key = "local-server-password-8842"
const grow = ["expand", "ticket-triage", "--strategy", "self-instruct", "--json"]
const requests = 4

let server: ChatServer
let workspace: string
beforeEach(async () => {
  server = await ChatServer.start()
  workspace = await workspaceWith(server.url)
})
afterEach(() => server.close())

describe("growing with a chat model", () => {
  it.each([
    ["openai", "OPENAI_API_KEY"],
    ["huggingface", "HF_TOKEN"],
  ])(
    "of %s survives a busy, failing, hanging up and babbling server, and grows what an undisturbed one grows",
    async (provider, variable) => {
      const disturbed = await workspaceWith(server.url, provider)
      server.faults.push(
        { kind: "status", status: 429, headers: { "retry-after": "2" } },
        { kind: "status", status: 500 },
        { kind: "drop" },
        { kind: "cut" },
        { kind: "truncated" },
      )
      const { code, stdout, stderr } = await tuneloop(disturbed, grow, { [variable]: key }).outcome
      expect(code, stderr).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({
        strategies: [{ state: "grown", requests, grown: 5 * requests, passed: 5 * requests, problems: [] }],
      })
      expect(server.asked).toHaveLength(requests + 5)
      const busy = server.asked[0]?.body
      const [first, second] = server.asked.filter(({ body }) => body === busy).map(({ atMs }) => atMs)
      expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(1900)
      expect(new Set(server.asked.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${key}`]))

      const calm = await workspaceWith(server.url, provider)
      expect((await tuneloop(calm, grow).outcome).code).toBe(0)
      expect(batches(calm)).toEqual(batches(disturbed))
      expect(Object.keys(batches(calm))).toHaveLength(1)
    },
  )

  it("shows the model no held-out example", async () => {
    expect((await tuneloop(workspace, grow).outcome).code).toBe(0)
    const split = new Map(rowsOf(workspace, "splits.jsonl").map(({ id, split }) => [id, split]))
    const shown = (part: string) =>
      rowsOf(workspace, "seeds.jsonl").filter(
        ({ id, input }) =>
          split.get(id) === part &&
          server.asked.some(({ body }) => body.includes(JSON.stringify(JSON.stringify(input)).slice(1, -1))),
      ).length
    expect(shown("train")).toBeGreaterThan(6)
    expect([shown("validation"), shown("test")]).toEqual([0, 0])
  })

  it("never asks again what was answered, after a kill or a lost batch", async () => {
    const hanging = 2
    server.faults.push({ kind: "hang" }, { kind: "hang" })
    const { child, outcome } = tuneloop(workspace, grow)
    await until(() => server.asked.length === requests && answers() === requests - hanging)
    child.kill("SIGKILL")
    await outcome
    expect(server.asked.filter(({ answered }) => answered)).toHaveLength(requests - hanging)
    expect(batches(workspace)).toEqual({})
    expect((await tuneloop(workspace, grow).outcome).code).toBe(0)
    expect(server.asked).toHaveLength(requests + hanging)
    const answeredTwice = [...Map.groupBy(server.asked, ({ body }) => body).values()].filter(
      (times) => times.filter(({ answered }) => answered).length > 1,
    )
    expect(answeredTwice).toEqual([])

    const grown = batches(workspace)
    rmSync(join(workspace, "datasets", "ticket-triage", "candidates"), { recursive: true })
    const again = await tuneloop(workspace, grow).outcome
    expect(JSON.parse(again.stdout)).toMatchObject({
      strategies: [{ state: "grown", requests, answeredBefore: requests }],
    })
    expect(JSON.parse((await tuneloop(workspace, grow).outcome).stdout)).toMatchObject({
      strategies: [{ state: "unchanged" }],
    })
    expect(batches(workspace)).toEqual(grown)
    expect(server.asked).toHaveLength(requests + hanging)
  })

  it("ends at once on Ctrl-C, says how to go on, and leaves nothing half-written", async () => {
    for (let number = 0; number < requests; number++) server.faults.push({ kind: "hang" })
    const { child, outcome } = tuneloop(workspace, grow)
    await until(() => server.asked.length === requests)
    child.kill("SIGINT")
    const { code, stdout, stderr } = await outcome
    expect([code, stdout]).toEqual([130, ""])
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: "interrupted", message: expect.stringContaining("run the same command again") },
    })
    expect(batches(workspace)).toEqual({})
    expect(JSON.parse((await tuneloop(workspace, grow).outcome).stdout)).toMatchObject({
      strategies: [{ state: "grown", answeredBefore: 0 }],
    })
  })

  it("says what a dry run would ask, and asks nothing", async () => {
    const { stdout } = await tuneloop(workspace, [...grow, "--dry-run"]).outcome
    expect(JSON.parse(stdout)).toMatchObject({ strategies: [{ state: "planned", requests, answeredBefore: 0 }] })
    expect(server.asked).toEqual([])
    expect(batches(workspace)).toEqual({})
  })

  it("counts answers that are no examples, and keeps the rest", async () => {
    server.answer = (text) =>
      text.includes('"payment"')
        ? "I am sorry, I cannot do that."
        : `Sure!\n\`\`\`json\n${text}\n{"input": "no output"}\n\`\`\``
    const { code, stdout } = await tuneloop(workspace, grow).outcome
    expect(code).toBe(0)
    const [strategy] = (JSON.parse(stdout) as { strategies: { grown: number; problems: string[] }[] }).strategies
    expect(strategy?.grown).toBe(5 * (requests - 1))
    expect(strategy?.problems).toHaveLength(requests)
  })
})

describe("a server that refuses", () => {
  it("the key: one message that names the variable, no second try, the key nowhere", async () => {
    for (let number = 0; number < 2 * requests; number++)
      server.faults.push({ kind: "status", status: 401, message: `Incorrect API key provided: ${key}` })
    const { code, stdout, stderr } = await tuneloop(workspace, grow, { OPENAI_API_KEY: key }).outcome
    expect([code, stdout]).toEqual([2, ""])
    expect(JSON.parse(stderr)).toMatchObject({
      error: {
        code: "credential",
        message: expect.stringContaining("401"),
        hint: expect.stringContaining("OPENAI_API_KEY"),
      },
    })
    expect(server.asked.length).toBeLessThanOrEqual(requests)
    expectNoKey(stderr)
    expect(batches(workspace)).toEqual({})
  })
})

describe("a host that examples may not go to", () => {
  it("is refused before anything is sent or written down", async () => {
    writeFileSync(join(workspace, "tuneloop.yaml"), "allowedHosts: [api.example.com]\n")
    const before = snapshot(join(workspace, "datasets"))
    const { code, stdout, stderr } = await tuneloop(workspace, grow, { OPENAI_API_KEY: key }).outcome
    expect([code, stdout]).toEqual([4, ""])
    expect(JSON.parse(stderr)).toMatchObject({
      error: {
        message: expect.stringMatching(/127\.0\.0\.1.*api\.example\.com/),
        hint: expect.stringContaining("allowedHosts"),
      },
    })
    expect(server.asked).toEqual([])
    expect(snapshot(join(workspace, "datasets"))).toEqual(before)
  })

  it("needs a key when it is not on this machine", async () => {
    const away = await workspaceWith("https://api.openai.com/v1")
    const { code, stderr } = await tuneloop(away, grow).outcome
    expect(code).toBe(2)
    expect(stderr).toContain("OPENAI_API_KEY is not set")
    // What would be asked is known without one.
    const plan = await tuneloop(away, [...grow, "--dry-run"]).outcome
    expect(plan.code, plan.stderr).toBe(0)
    expect(JSON.parse(plan.stdout)).toMatchObject({ strategies: [{ state: "planned", requests }] })
  })

  it("that answers nothing ends with exit code 1, says why, and is asked again with --retry-empty", async () => {
    server.choice = () => ({ finish_reason: "stop", message: { content: null, refusal: "I cannot." } })
    const refused = await tuneloop(workspace, grow).outcome
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(
      /nothing came of 4 requests: 4 answers could not be read, 4 of them without a text: 4/,
    )
    expect(refused.stderr).toContain("expand ticket-triage --strategy self-instruct --retry-empty")
    expect(JSON.parse(refused.stdout)).toMatchObject({ strategies: [{ grown: 0, silent: { refused: 4 } }] })
    server.choice = () => undefined
    const again = await tuneloop(workspace, [...grow, "--retry-empty"]).outcome
    expect(again.code, again.stderr).toBe(0)
    expect(JSON.parse(again.stdout)).toMatchObject({
      strategies: [{ state: "grown", fresh: 5 * requests, silent: {} }],
    })
  })
})

/** The sample task with its gold examples, and the server as the model to grow with. */
async function workspaceWith(baseUrl: string, provider = "openai"): Promise<string> {
  const folder = sampleWorkspace()
  const specification = join(folder, "specs", "ticket-triage.yaml")
  const text = readFileSync(specification, "utf8")
  const changed = text.replace(
    "  strategies:\n",
    `  model: { provider: ${provider}, model: test-model, baseUrl: "${baseUrl}" }\n  strategies:\n    ` +
      `self-instruct: { count: ${5 * requests}, perRequest: 5 }\n`,
  )
  expect(changed).not.toBe(text)
  writeFileSync(specification, changed)
  await importSeeds(folder)
  return folder
}

function batches(folder: string): Record<string, string> {
  return snapshot(join(folder, "datasets", "ticket-triage", "candidates"))
}

/** How many answers the ledger holds. */
function answers(): number {
  try {
    const database = new DatabaseSync(join(workspace, ".tuneloop", "ledger.db"), { readOnly: true })
    const { count } = database.prepare("select count(answer) as count from requests").get() as { count: number }
    database.close()
    return count
  } catch {
    return 0
  }
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 20_000
  while (!condition()) {
    expect(performance.now()).toBeLessThan(end)
    await new Promise((done) => setTimeout(done, 20))
  }
}

function expectNoKey(stderr: string): void {
  expect(stderr).not.toContain(key)
  const files = readdirSync(workspace, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  expect(files.map(({ name }) => name)).toContain("ledger.db")
  for (const file of files) expect(readFileSync(join(file.parentPath, file.name)).includes(key), file.name).toBe(false)
}
