import { createHash } from "node:crypto"
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { beforeAll, describe, expect, it } from "vitest"
import type { RunEventBody } from "../../src/core/training/run.ts"
import { SqliteLedger } from "../../src/store/ledger/sqlite-ledger.ts"
import { parseFrozenRow, type FrozenRows } from "../../src/store/rows/frozen-rows.ts"
import { sample, sampleWorkspace, tuneloop } from "../command-line.ts"

// A file that a merge, an editor or a full disk damaged is a failure that its reader can mend, with its place.

const task = "order-extraction"
let workspace: string
let version: string
const run = (...args: string[]) => tuneloop(workspace, args).outcome
const place = (...names: string[]) => join(workspace, "datasets", task, ...names)

beforeAll(async () => {
  workspace = sampleWorkspace()
  await run("seed", "import", task, sample(task, "seeds.jsonl"))
  version = (JSON.parse((await run("build", task, "--json")).stdout) as { version: string }).version
}, 60_000)

describe("a damaged file", () => {
  it("of a version is named with the line and the field, also where its manifest says that it is so", async () => {
    const [train, manifest] = [place("versions", version, "train.jsonl"), place("versions", version, "manifest.json")]
    const [whole, said] = [readFileSync(train, "utf8"), readFileSync(manifest, "utf8")]
    const digestOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`
    expect(said).toContain(digestOf(whole))
    for (const [second, message] of [
      ['{"id":"ex_1","input":"text"}', 'train.jsonl:2: input: expected an object, got "text"'],
      ['{"id":"ex_1","input":', "train.jsonl:2: not valid JSON"],
    ] as const) {
      const damaged = whole.replace(/\n.*\n/, `\n${second}\n`)
      writeFileSync(train, damaged)
      writeFileSync(manifest, said.replace(digestOf(whole), digestOf(damaged)))
      const { code, stderr } = await run("dataset", "card", task, "--dataset", version)
      expect([code, stderr]).toEqual([1, expect.stringContaining(message)])
      expect(stderr).toContain("restore the file")
    }
    writeFileSync(train, whole)
    writeFileSync(manifest, said)
  }, 60_000)

  it("of tombstones or of what an erasure left is named with what is wrong in it", async () => {
    writeFileSync(place("tombstones.jsonl"), '\n{"id":7}\n')
    const tombstones = await run("build", task)
    expect([tombstones.code, tombstones.stderr]).toEqual([
      1,
      expect.stringMatching(/tombstones\.jsonl:2: id: expected a string, got 7\n.*tombstones\.jsonl:2: contents/),
    ])
    writeFileSync(place("tombstones.jsonl"), "")
    writeFileSync(place("versions", version, "erased.json"), '{"at":"2026-11-30"}')
    const mark = await run("dataset", "card", task, "--dataset", version)
    expect([mark.code, mark.stderr]).toEqual([1, expect.stringContaining("erased.json: files: missing")])
  }, 60_000)
})

describe("a frozen row", () => {
  const row = {
    id: "ex_1",
    input: { text: "a" },
    output: null,
    provenance: { parents: [], strategy: "seed", acceptedBy: "gold" },
  }

  it("is taken as it is, and refused by what each file holds", () => {
    const problems = (file: keyof FrozenRows, value: unknown) => {
      const parsed = parseFrozenRow(file, JSON.stringify(value))
      return "row" in parsed ? parsed.row : `${parsed.path ?? ""}: ${parsed.problem}`
    }
    expect(problems("train.jsonl", row)).toEqual(row)
    expect(problems("train.jsonl", { ...row, output: undefined })).toBe(
      ": expected output as they were frozen, got output nothing",
    )
    expect(problems("dropped.jsonl", row)).toContain("expected reason and")
    expect(problems("dropped.jsonl", { ...row, reason: "empty", similarity: 0.5 })).toMatchObject({ similarity: 0.5 })
    expect(problems("preferences.jsonl", row)).toContain("expected chosen and rejected")
    expect(problems("test.jsonl", { ...row, id: 3 })).toBe("id: expected a text, got 3")
    expect(problems("test.jsonl", { ...row, provenance: { parents: [3] } })).toContain("provenance: expected parents")
    expect(problems("test.jsonl", null)).toBe(": expected an object, got null")
  })
})

describe("a damaged ledger", () => {
  const file = join(mkdtempSync(join(tmpdir(), "tuneloop-damaged-")), "ledger.db")
  const bodies: { readonly [Type in RunEventBody["type"]]: Extract<RunEventBody, { type: Type }> } = {
    planned: { type: "planned", plan: "p" },
    submitting: { type: "submitting", submissionKey: "k", attempt: 1, estimateUsd: 0.5 },
    submitted: { type: "submitted", job: { backend: "b", id: "1", submissionKey: "k", details: { region: "x" } } },
    "state-changed": { type: "state-changed", state: "failed", message: "m", hint: "h" },
    started: { type: "started", totalSteps: 4, details: { gpu: null } },
    "metric-logged": { type: "metric-logged", step: 1, totalSteps: 4, values: { loss: 0.5 } },
    "checkpoint-saved": { type: "checkpoint-saved", step: 2 },
    resumed: { type: "resumed", step: 2 },
    uploaded: { type: "uploaded", file: "f", remoteId: "r" },
    purged: { type: "purged", file: "f", remoteId: "r" },
    resolved: { type: "resolved", submissionKey: "k", outcome: "created", by: "amara" },
    "model-ready": { type: "model-ready", model: { kind: "weights", location: "l" } },
    "artifact-fetched": { type: "artifact-fetched", path: "p", digest: "d", bytes: 3 },
    deploying: {
      type: "deploying",
      lease: {
        ...{ key: "lease_1", purpose: "serving", hardware: "h100", usdPerHour: 4, asOf: "2026-11-30", source: "s" },
        until: "2026-11-30T01:00:00Z",
      },
    },
    deployed: { type: "deployed", lease: "lease_1", deployment: { backend: "b", id: "1", model: "m" } },
    undeploying: { type: "undeploying", lease: "lease_1" },
    undeployed: { type: "undeployed", lease: "lease_1", endedAt: "2026-11-30T00:30:00Z", usd: 2, reason: "r" },
    cost: { type: "cost", usd: 1, source: "computed" },
    estimated: { type: "estimated", submissionKey: "k", estimateUsd: 1 },
    "late-job-ended": { type: "late-job-ended", submissionKey: "k", state: "cancelled", usd: 1 },
  }

  it("gives every event back as it was sent, and says of each that it cannot read which one it is", async () => {
    const ledger = SqliteLedger.open(file, () => new Date(0))
    await ledger.runs.create({ run: "r", job: "j", task: "t", plan: "p" })
    const sent = Object.values(bodies).map((body) => ({ ...body, sentAt: "2026-11-30T00:00:00Z", later: true }))
    await ledger.runs.appendEvents("r", sent)
    const kept = await ledger.runs.events("r")
    expect(kept.slice(1).map(({ run: _run, sequence: _sequence, at: _at, ...body }) => body)).toEqual(sent)
    expect(await ledger.verify()).toEqual([])

    const database = new DatabaseSync(file)
    database.exec(`update run_events set body = '{"step":"two"}' where type = 'resumed'`)
    database.exec(`update run_events set body = '{"step' where type = 'checkpoint-saved'`)
    const request = '{"provider":"p","messages":[]}'
    const key = `sha256:${createHash("sha256").update('{"messages":[],"provider":"p"}').digest("hex")}`
    database.exec(
      `insert into requests (key, task, strategy, request, sent_at, attempts, answer)
       values ('${key}', 't', 's', '${request}', '', 1, '{"text":1}')`,
    )
    database.close()
    await expect(ledger.runs.events("r")).rejects.toThrow(/ledger\.db: run r, event 8: not valid JSON/)
    await expect(ledger.requests.recording("t")).rejects.toThrow(/ledger\.db: request sha256:\w+: baseUrl: missing/)
    await expect(ledger.requests.answers([key])).rejects.toThrow(/the answer to request sha256:\w+: text: expected/)
    const problems = await ledger.verify()
    expect(problems.filter((problem) => problem.startsWith("run r"))).toEqual([
      "run r, event 8: not valid JSON",
      'run r, event 9: step: expected a number, got "two"',
    ])
    expect(problems.some((problem) => problem.startsWith(`the answer to request ${key}: text`))).toBe(true)
    await ledger.close()
  })
})
