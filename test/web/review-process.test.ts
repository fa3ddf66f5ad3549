import { spawn } from "node:child_process"
import { readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { packageRoot } from "../../src/cli/version.ts"
import { tuneloop } from "../command-line.ts"
import { logOf } from "./review-log.ts"
import { reviewWorkspace } from "./sample-review.ts"
import { ask, call, letIn, serving, tokenOf } from "./serving.ts"

const amara = { reviewer: "amara", page: "page-of-amara" }
const ben = { reviewer: "ben", page: "page-of-ben" }

it("a kill -9 loses no decision that was said to be saved", { timeout: 60_000 }, async () => {
  const workspace = reviewWorkspace(60)
  const saved: string[] = []
  for (let round = 0; round < 2; round++) {
    const words = ["--workspace", workspace, "review", "serve", "moods", "--port", "0", "--json"]
    const child = spawn(process.execPath, [join(packageRoot, "src", "cli", "main.ts"), ...words], {
      stdio: ["ignore", "pipe", "ignore"],
    })
    const printed = await new Promise<string>((resolve) =>
      child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString())),
    )
    const port = Number(new URL((JSON.parse(printed) as { url: string }).url).port)
    await letIn(port, tokenOf(workspace))
    const gone = new Promise((resolve) => child.once("close", resolve))
    try {
      for (let count = 0; ; count++) {
        const { item } = (await call(port, "next", amara)).json
        const answer = call(port, "decide", {
          ...amara,
          item: item.id,
          revision: item.revision,
          choice: "edit",
          output: "calm",
        })
        // While the answer is on its way, or being written.
        if (count === 6) setTimeout(() => child.kill("SIGKILL"), 2 * round)
        if ((await answer).status === 200) saved.push(item.id)
      }
    } catch {
      await gone
    }
  }
  expect(saved.length).toBeGreaterThanOrEqual(12)
  // A decision on a conflict is one on each of its rows as well.
  const kept = logOf(workspace, "moods").flatMap(({ item }) => (item.startsWith("check_") ? [] : [item]))
  expect(new Set(kept).size).toBe(kept.length)
  expect(saved.filter((item) => !item.startsWith("check_") && !kept.includes(item))).toEqual([])
  // Decided when the kill came, but not said to be: one a kill at most.
  expect(kept.length - saved.length).toBeLessThanOrEqual(2)
})

it("Ctrl-C ends it with exit code 0, open pages or not, and says where the decisions are", async () => {
  const workspace = reviewWorkspace(3)
  const { child, outcome } = tuneloop(workspace, ["review", "serve", "moods", "--port", "0", "--reviewer", "amara"])
  const line = await new Promise<string>((resolve) =>
    child.stdout?.once("data", (chunk: Buffer) => resolve(chunk.toString())),
  )
  const port = Number(/127\.0\.0\.1:(\d+)\//.exec(line)?.[1])
  await letIn(port, tokenOf(workspace))
  const { item } = (await call(port, "next", ben)).json
  await call(port, "decide", { ...ben, item: item.id, revision: item.revision, choice: "edit", output: "glad" })
  const kept = ask(port, "GET", "/", { connection: "keep-alive" })
  expect((await kept).status).toBe(200)
  child.kill("SIGINT")
  const { code, stdout, stderr } = await outcome
  expect(code, stderr).toBe(0)
  expect(stdout).toMatch(/^6 items of moods wait for a decision; review them at http:\/\/127\.0\.0\.1:\d+\/\n$/)
  expect(stderr).toMatch(
    /the decisions are in datasets\/moods\/decisions\/\d{4}-\d\d-\d\d-amara-page-[0-9a-f]{8}\.jsonl/,
  )
  // Here stderr goes to a log: it says where the token is, not what it is.
  expect(stderr).toContain("with the first line of .tuneloop/page/token")
  expect(stderr).not.toContain(tokenOf(workspace))
  rmSync(workspace, { recursive: true })
})

it("a port that is taken and an address of another machine are told with the next step", async () => {
  const workspace = reviewWorkspace(3)
  await serving(workspace, "moods", async ({ port }) => {
    const taken = await tuneloop(workspace, ["review", "serve", "moods", "--port", String(port)]).outcome
    expect(taken).toMatchObject({ code: 2, stderr: expect.stringContaining(`port ${port} of 127.0.0.1 is taken`) })
    const foreign = await tuneloop(workspace, ["review", "serve", "moods", "--host", "203.0.113.7", "--port", "0"])
      .outcome
    expect(foreign).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("203.0.113.7 is no address of this machine"),
    })
    expect(readFileSync(join(workspace, "specs", "moods.yaml"), "utf8")).toContain("moods")
  })
})
