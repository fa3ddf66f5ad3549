import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { python, tinyWorkspace, tuneloop } from "./tuneloop.ts"

let environment: Record<string, string>
beforeAll(async () => {
  environment = { TUNELOOP_PYTHON: await python() }
})

/** A Python that cannot be run: whoever starts it fails. */
const noPython = { TUNELOOP_PYTHON: "/nonexistent/python" }

describe("a run of the real trainer", () => {
  it("is detached from by Ctrl-C, reattached to, trained once and evaluated once", async () => {
    const workspace = await tinyWorkspace("detach")
    const first = tuneloop(workspace, ["train", "mood", "--wait"], environment)
    await until(() => trainerEvents(workspace).some((event) => event.type === "metrics"))
    first.child.kill("SIGINT")
    const detached = await first.outcome
    expect(detached.code).toBe(130)
    expect(detached.stderr).toContain("runs watch")
    expect(detached.stderr).toContain("runs cancel")
    const pid = trainerProcess(workspace).pid
    const second = tuneloop(workspace, ["train", "mood", "--wait", "--json"], environment)
    // The command line dies in the middle; the trainer does not.
    await new Promise((done) => setTimeout(done, 1500))
    second.child.kill("SIGKILL")
    await second.outcome
    const third = await tuneloop(workspace, ["train", "mood", "--wait", "--json"], environment).outcome
    expect(third.code, third.stderr).toBe(0)
    expect(JSON.parse(third.stdout)).toMatchObject({ state: "succeeded" })
    expect(trainerProcess(workspace).pid).toBe(pid)
    expect(trainerEvents(workspace).filter((event) => event.type === "started")).toHaveLength(1)
    expect(readdirSync(join(workspace, "jobs", "runs"))).toHaveLength(1)
    const unchanged = await tuneloop(workspace, ["train", "mood", "--json"], noPython).outcome
    expect(JSON.parse(unchanged.stdout)).toMatchObject({ outcome: "unchanged" })

    const killed = tuneloop(workspace, ["evaluate", "latest"], environment)
    await until(() => existsSync(join(evaluationWork(workspace) ?? "/nonexistent", "request.json")))
    killed.child.kill("SIGKILL")
    await killed.outcome
    const evaluated = await tuneloop(workspace, ["evaluate", "latest", "--json"], environment).outcome
    expect(evaluated.code, evaluated.stderr).toBe(0)
    const result = JSON.parse(evaluated.stdout)
    expect(result.contenders.map(({ name }: { name: string }) => name)).toEqual([
      "tuned",
      "zero-shot",
      "few-shot",
      "linear",
    ])
    expect(["promote", "reject", "undecided"]).toContain(result.verdict)
    expect(existsSync(join(workspace, result.report))).toBe(true)
    const again = await tuneloop(workspace, ["run", "mood", "--json"], noPython).outcome
    expect(again.code, again.stderr).toBe(0)
    expect(JSON.parse(again.stdout).evaluation.evaluation).toBe(result.evaluation)
    const shown = JSON.parse((await tuneloop(workspace, ["runs", "show", "latest", "--json"], noPython).outcome).stdout)
    expect(shown.events.filter((event: { type: string }) => event.type === "submitting")).toHaveLength(1)
    expect((await tuneloop(workspace, ["ledger", "verify"]).outcome).code).toBe(0)
  })

  it("goes on from its last checkpoint after a cancel and after the trainer was killed", async () => {
    const workspace = await tinyWorkspace("resume")
    await tuneloop(workspace, ["train", "mood"], environment).outcome
    await until(() => trainerEvents(workspace).some((event) => event.type === "checkpoint"))
    const cancelled = await tuneloop(workspace, ["runs", "cancel", "latest", "--json"], environment).outcome
    expect(JSON.parse(cancelled.stdout)).toMatchObject({ state: "cancelled" })
    await tuneloop(workspace, ["train", "mood"], environment).outcome
    await until(() => trainerEvents(workspace).some((event) => event.type === "resumed"))
    process.kill(-trainerProcess(workspace).pid, "SIGKILL")
    const failed = await tuneloop(workspace, ["runs", "watch", "latest"], environment).outcome
    expect(failed.code).toBe(1)
    expect(failed.stdout).toContain("killed")
    const resumed = await tuneloop(workspace, ["train", "mood", "--wait", "--json"], environment).outcome
    expect(resumed.code, resumed.stderr).toBe(0)
    expect(JSON.parse(resumed.stdout)).toMatchObject({ state: "succeeded" })
    expect(readdirSync(join(workspace, "jobs", "runs"))).toHaveLength(1)
    const attempts = JSON.parse(
      (await tuneloop(workspace, ["runs", "show", "latest", "--json"]).outcome).stdout,
    ).events.filter((event: { type: string }) => event.type === "submitting")
    expect(attempts.map(({ attempt }: { attempt: number }) => attempt)).toEqual([1, 2, 3])
  })

  it("stops before training when a row is longer than the limit, naming it", async () => {
    const workspace = await tinyWorkspace("too-long")
    const job = join(workspace, "jobs", "mood.yaml")
    const { writeFileSync } = await import("node:fs")
    writeFileSync(job, readFileSync(job, "utf8").replace("epochs: 12", "epochs: 12, maxLength: 12"))
    const { code, stderr } = await tuneloop(workspace, ["train", "mood", "--wait"], environment).outcome
    expect(code).toBe(1)
    expect(stderr).toMatch(/ex_[0-9a-f]{16}/)
    expect(stderr).toContain("runs logs")
  })
})

interface TrainerEvent {
  readonly type: string
}

function runFolder(workspace: string): string | undefined {
  const runs = join(workspace, "jobs", "runs")
  const run = existsSync(runs) ? readdirSync(runs)[0] : undefined
  return run === undefined ? undefined : join(runs, run)
}

function trainerEvents(workspace: string): TrainerEvent[] {
  const file = join(runFolder(workspace) ?? "/nonexistent", "trainer", "events.jsonl")
  if (!existsSync(file)) return []
  const text = readFileSync(file, "utf8")
  return text
    .slice(0, text.lastIndexOf("\n"))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as TrainerEvent)
}

function trainerProcess(workspace: string): { pid: number } {
  return JSON.parse(readFileSync(join(runFolder(workspace) ?? "", "trainer", "process.json"), "utf8")) as {
    pid: number
  }
}

function evaluationWork(workspace: string): string | undefined {
  const generations = join(runFolder(workspace) ?? "/nonexistent", "generation")
  const generation = existsSync(generations) ? readdirSync(generations)[0] : undefined
  return generation === undefined ? undefined : join(generations, generation, "work")
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 300_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("waited five minutes in vain")
    await new Promise((done) => setTimeout(done, 50))
  }
}
