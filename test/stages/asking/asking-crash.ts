import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { importSeeds, sampleWorkspace, snapshot, tuneloop } from "../../command-line.ts"
import { seeded } from "../../seeded.ts"
import { ChatServer } from "../../models/chat-server.ts"

const task = "ticket-triage"
const concurrency = 4
const usdPerToken = { input: 100 / 1e6, output: 400 / 1e6 }
const prices =
  `models:\n  - { match: "*", host: 127.0.0.1, inputUsd: 100, outputUsd: 400, asOf: 2026-11-24, source: ` +
  `this test }\n`

/** What happened; every number that has to be 0 is a promise that was broken. */
export interface CrashSummary {
  readonly kills: number
  readonly ends: number
  readonly requests: number
  readonly arrived: number
  readonly faults: number
  readonly answered: number
  readonly inFlightAtKills: number
  readonly mostInFlightAtAKill: number
  readonly bookedUnknownUsd: number
  readonly ceilingStops: number
  readonly spentUsd: number
  readonly chargedUsd: number
  readonly answeredSentAgain: number
  readonly ceilingsPassed: number
  readonly chargedMoreThanBooked: number
  readonly otherCandidates: number
}

/**
 * Kills the growing of examples so many times, at moments drawn by the seed, each time at once started again, against a
 * server that is slow, limits, hangs up, fails, cuts its answers and repeats itself; under a ceiling that is raised
 * whenever it is reached.
 */
export async function crashes(
  wanted: number,
  seed: number,
  tell: (line: string) => void = () => undefined,
): Promise<CrashSummary> {
  const server = await ChatServer.start()
  try {
    return await crashing(server, wanted, seed, tell)
  } finally {
    server.close()
  }
}

async function crashing(
  server: ChatServer,
  wanted: number,
  seed: number,
  tell: (line: string) => void,
): Promise<CrashSummary> {
  const random = seeded(seed)
  const requests = 24
  server.usage = (body, text) => ({
    prompt_tokens: Math.ceil(body.length / 4),
    completion_tokens: Math.ceil(text.length / 4),
  })
  // A tenth of the questions get what others got.
  server.answer = (text) => (Number.parseInt(text.slice(-30, -29), 36) % 10 === 0 ? repeated : text)
  const calm = await workspaceOf(server, requests)
  setBudget(calm, 1000)
  const outcome = await tuneloop(calm, command).outcome
  if (outcome.code !== 0) throw new Error(outcome.stderr)
  const undisturbed = candidates(calm)

  server.moods = {
    random,
    slowestMs: 200,
    faults: [
      [0.04, { kind: "drop" }],
      [0.04, { kind: "cut" }],
      [0.04, { kind: "truncated" }],
      [0.04, { kind: "status", status: 500 }],
      [0.04, { kind: "status", status: 429, headers: { "retry-after-ms": "100" } }],
    ],
  }
  const total = {
    kills: 0,
    ends: 0,
    arrived: 0,
    answered: 0,
    inFlight: 0,
    most: 0,
    unknownUsd: 0,
    stops: 0,
    spent: 0,
    charged: 0,
  }
  const broken = { answeredSentAgain: 0, ceilingsPassed: 0, chargedMoreThanBooked: 0, otherCandidates: 0 }
  while (total.kills < wanted) {
    const workspace = await workspaceOf(server, requests)
    server.charged.inputTokens = server.charged.outputTokens = 0
    let budgetUsd = 2
    setBudget(workspace, budgetUsd)
    for (let isDone = false; !isDone; ) {
      const answered = new Set(answeredBodies(workspace))
      server.asked.length = 0
      const { child, outcome } = tuneloop(workspace, command)
      const kill = () => child.kill("SIGKILL")
      // Half of the kills come some time after a request, half at any time of the process's life.
      const timer =
        total.kills >= wanted ? undefined : random() < 0.5 ? setTimeout(kill, 300 + 2500 * random()) : undefined
      const fatal = Math.floor(1 + 12 * random())
      if (timer === undefined && total.kills < wanted)
        server.onAsked = () => {
          if (server.asked.length === fatal) setTimeout(kill, 200 * random())
        }
      const { code, stderr } = await outcome
      clearTimeout(timer)
      server.onAsked = () => undefined
      total.arrived += server.asked.length
      broken.answeredSentAgain += server.asked.filter(({ body }) => answered.has(idOf(JSON.parse(body)))).length
      const spentUsd = spent(workspace)
      const chargedUsd =
        server.charged.inputTokens * usdPerToken.input + server.charged.outputTokens * usdPerToken.output
      if (spentUsd > budgetUsd) broken.ceilingsPassed++
      if (chargedUsd > spentUsd + 1e-9) broken.chargedMoreThanBooked++
      if (code === null) {
        total.kills++
        const { count } = inFlight(workspace)
        total.inFlight += count
        total.most = Math.max(total.most, count)
        if (total.kills % 10 === 0) tell(`${total.kills} kills, ${total.ends} ends`)
      } else if (code === 4) {
        total.stops++
        budgetUsd += 1.5
        setBudget(workspace, budgetUsd)
      } else if (code === 0) {
        isDone = true
        total.ends++
        if (JSON.stringify(candidates(workspace)) !== JSON.stringify(undisturbed)) broken.otherCandidates++
        total.answered += answeredBodies(workspace).length
        total.unknownUsd +=
          query(workspace, "select coalesce(sum(cost_usd), 0) as usd from attempts where state = 'unknown'")["usd"] ?? 0
        total.spent += spentUsd
        total.charged += chargedUsd
      } else throw new Error(`exit code ${code}: ${stderr}`)
    }
  }
  return {
    kills: total.kills,
    ends: total.ends,
    requests: requests * total.ends,
    arrived: total.arrived,
    faults: server.befallen,
    answered: total.answered,
    inFlightAtKills: total.inFlight,
    mostInFlightAtAKill: total.most,
    bookedUnknownUsd: total.unknownUsd,
    ceilingStops: total.stops,
    spentUsd: total.spent,
    chargedUsd: total.charged,
    ...broken,
  }
}

/** What a run promises, in the summary's words: empty when all of it was kept. */
export function brokenPromises(summary: CrashSummary): string[] {
  const { answeredSentAgain, ceilingsPassed, chargedMoreThanBooked, otherCandidates, mostInFlightAtAKill, ends } =
    summary
  return [
    answeredSentAgain > 0 ? `${answeredSentAgain} answered requests were sent again` : "",
    ceilingsPassed > 0 ? `the ceiling was passed ${ceilingsPassed} times` : "",
    chargedMoreThanBooked > 0 ? `the server charged more than was booked ${chargedMoreThanBooked} times` : "",
    otherCandidates > 0 ? `${otherCandidates} of ${ends} ends had other candidates` : "",
    mostInFlightAtAKill > concurrency
      ? `${mostInFlightAtAKill} requests were in flight at a kill, more than ${concurrency}`
      : "",
  ].filter((line) => line !== "")
}

const command = ["expand", task, "--strategy", "self-instruct"]
const repeated = [1, 2, 3]
  .map((index) => JSON.stringify({ input: `the same again ${index}`, output: "delivery" }))
  .join("\n")

async function workspaceOf(server: ChatServer, requests: number): Promise<string> {
  const workspace = sampleWorkspace()
  const file = join(workspace, "specs", `${task}.yaml`)
  const text = readFileSync(file, "utf8")
  const changed = text.replace(
    "  strategies:\n",
    `  budgetUsd: 0\n  pace: { concurrency: ${concurrency} }\n  model: { model: test-model, baseUrl: ` +
      `"${server.url}", maxTokens: 300 }\n  strategies:\n    self-instruct: { count: ${5 * requests}, ` +
      `perRequest: 5 }\n`,
  )
  if (changed === text) throw new Error("the sample's specification has no strategies to replace")
  writeFileSync(file, changed)
  writeFileSync(join(workspace, "prices.yaml"), prices)
  await importSeeds(workspace)
  return workspace
}

function setBudget(workspace: string, usd: number): void {
  const file = join(workspace, "specs", `${task}.yaml`)
  writeFileSync(file, readFileSync(file, "utf8").replace(/ {2}budgetUsd: .*/, `  budgetUsd: ${usd}`))
}

function candidates(workspace: string): Record<string, string> {
  return snapshot(join(workspace, "datasets", task, "candidates"))
}

function answeredBodies(workspace: string): string[] {
  return rows(workspace, "select request from requests where answer is not null").map(({ request }) =>
    idOf(JSON.parse(String(request))),
  )
}

/** What a request and its body have in common. */
function idOf({ messages, seed }: { messages: unknown; seed: number }): string {
  return JSON.stringify([messages, seed])
}

function spent(workspace: string): number {
  return query(workspace, "select coalesce(sum(coalesce(cost_usd, worst_usd)), 0) as usd from attempts")["usd"] ?? 0
}

function inFlight(workspace: string): { count: number } {
  return { count: query(workspace, "select count(*) as count from attempts where state = 'sent'")["count"] ?? 0 }
}

function query(workspace: string, sql: string): Record<string, number> {
  return (rows(workspace, sql)[0] ?? {}) as Record<string, number>
}

function rows(workspace: string, sql: string): Record<string, unknown>[] {
  const file = join(workspace, ".tuneloop", "ledger.db")
  if (!existsSync(file)) return []
  const database = new DatabaseSync(file)
  try {
    return database.prepare(sql).all()
  } catch (error) {
    // Killed before the ledger had its tables.
    if (/no such table/.test((error as Error).message)) return []
    throw error
  } finally {
    database.close()
  }
}
