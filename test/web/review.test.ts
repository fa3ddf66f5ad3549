import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "vitest"
import { stringify } from "csv-stringify/sync"
import { reviewStatus, type ReviewStatus } from "../../src/stages/reviewing/review-status.ts"
import { json, linesOf } from "../command-line.ts"
import { type Line, logOf } from "./review-log.ts"
import { hostile, reviewWorkspace } from "./sample-review.ts"
import { call, contextOf, serving } from "./serving.ts"

const amara = { reviewer: "amara", page: "page-of-amara" }
const ben = { reviewer: "ben", page: "page-of-ben" }

function statusOf(workspace: string): Promise<ReviewStatus> {
  const context = contextOf(workspace)
  return reviewStatus(context, context.workspace.readTask("moods"))
}

/** Goes through the queue and answers each item. */
async function answerAll(port: number, answer: (item: Shown) => Record<string, unknown>): Promise<Shown[]> {
  const seen: Shown[] = []
  for (;;) {
    const { item } = (await call(port, "next", amara)).json as { item?: Shown }
    if (item === undefined) return seen
    seen.push(item)
    const { status, body } = await call(port, "decide", {
      ...amara,
      item: item.id,
      revision: item.revision,
      ...answer(item),
    })
    expect(status, body).toBe(200)
  }
}
interface Shown {
  readonly id: string
  readonly kind: string
  readonly revision: string
  readonly proposed: unknown
  readonly current: unknown
}

it("what is decided on the page is what the same decisions in a spreadsheet are, for every kind of item", async () => {
  const workspace = reviewWorkspace(6)
  const other = mkdtempSync(join(tmpdir(), "tuneloop-review-csv-"))
  cpSync(workspace, other, { recursive: true })
  const answers: Readonly<Record<string, Record<string, unknown>>> = {
    "candidate-0": { choice: "accept" },
    "candidate-1": { choice: "edit", output: "calm", comment: "a question" },
    "candidate-2": { choice: "reject", comment: "unclear text: who speaks?" },
    input: { choice: "edit", output: "calm" },
    "label-error": { choice: "accept" },
    conflict: { choice: "b", comment: hostile[0] },
  }
  let candidates = 0
  const given: string[][] = []
  await serving(workspace, "moods", ({ port }) =>
    answerAll(port, (item) => {
      const answer = answers[item.kind === "candidate" ? `candidate-${candidates++ % 3}` : item.kind] as Record<
        string,
        string
      >
      // An edit that changes nothing is an accept.
      const isSame = answer["choice"] === "edit" && answer["output"] === item.proposed
      given.push([
        item.id,
        isSame ? "accept" : (answer["choice"] as string),
        isSame ? "" : (answer["output"] ?? ""),
        answer["comment"] ?? "",
        "amara",
      ])
      return answer
    }),
  )
  expect(given.length).toBe(9)
  writeFileSync(
    join(other, "filled.csv"),
    stringify([["id", "decision", "corrected_output", "comment", "reviewer"], ...given]),
  )
  expect(await json(other, "review", "import", "moods", join(other, "filled.csv"))).toMatchObject({ added: 9 })
  const said = (folder: string) =>
    logOf(folder, "moods")
      .map(({ at: _at, source: _source, ...line }) => JSON.stringify(line, Object.keys(line).sort()))
      .sort()
  expect(said(workspace)).toEqual(said(other))
  const left = await statusOf(workspace)
  expect(left).toMatchObject({ open: 0, counts: { conflictPairs: 0, suspects: 0 } })
  expect(await statusOf(other)).toEqual(left)
})

it(
  "undo adds a line and changes none; the item is asked again with what was said, and the last answer " + "counts",
  async () => {
    const workspace = reviewWorkspace(4)
    await serving(workspace, "moods", async ({ port }) => {
      const { id } = linesOf<{ id: string }>(join(workspace, "datasets", "moods", "candidates", "first.jsonl"))[0] ?? {}
      const { item } = (await call(port, "next", { ...amara, item: id })).json
      const decide = async (answer: Record<string, unknown>) =>
        (await call(port, "decide", { ...amara, item: item.id, revision: item.revision, ...answer })).json
      const first = await decide({ choice: "reject", comment: "unclear text" })
      const decision = { item: first.item, at: first.at }
      const before = logOf(workspace, "moods")
      const taken = (await call(port, "withdraw", { ...amara, decision })).json
      expect(taken.item).toMatchObject({ id: item.id, mine: { verdict: "reject", comment: "unclear text" } })
      // The answer to an undo may be lost on its way: asked again, it takes back nothing more.
      expect((await call(port, "withdraw", { ...amara, decision })).json.item.id).toBe(item.id)
      const after = logOf(workspace, "moods")
      expect(after.slice(0, before.length)).toEqual(before)
      expect(after.slice(before.length)).toMatchObject([{ item: item.id, verdict: "withdraw", reviewer: "amara" }])
      expect(await statusOf(workspace)).toMatchObject({ open: 5, pending: 5 })
      // The same answer as before is a new decision now.
      await decide({ choice: "reject", comment: "unclear text" })
      expect(await statusOf(workspace)).toMatchObject({ open: 4, rejected: 1 })
      // Saved twice, as by a page that lost the answer, it is one line.
      await decide({ choice: "reject", comment: "unclear text" })
      expect(logOf(workspace, "moods").length).toBe(3)
    })
  },
)

it("an undo of a decision on a conflict takes back what it said of both rows", async () => {
  const workspace = reviewWorkspace(0)
  await serving(workspace, "moods", async ({ port }) => {
    const seen = await answerAll(port, ({ kind }) => ({
      choice: kind === "conflict" ? "a" : kind === "input" ? "edit" : "reject",
      output: "calm",
      comment: "no",
    }))
    const conflict = seen.find(({ kind }) => kind === "conflict") as Shown
    expect(await statusOf(workspace)).toMatchObject({ counts: { conflictPairs: 0 } })
    const { at } = logOf(workspace, "moods").find(({ item }) => item === conflict.id) as Line
    const { item } = (await call(port, "withdraw", { ...amara, decision: { item: conflict.id, at } })).json
    expect(item).toMatchObject({ id: conflict.id, pair: { outputs: ["calm", "glad"] } })
    expect(await statusOf(workspace)).toMatchObject({ counts: { conflictPairs: 1 } })
  })
})

it(
  "two pages never have the same item; what one decides, the " + "other is not asked; what one leaves comes back",
  async () => {
    const workspace = reviewWorkspace(5)
    await serving(workspace, "moods", async ({ port }) => {
      const next = async (who: object, item?: string) => (await call(port, "next", { ...who, item })).json
      const second = { reviewer: "amara", page: "second-tab-of-amara" }
      const [a, b, c] = [await next(amara), await next(second), await next(ben)]
      expect(new Set([a, b, c].map(({ item }) => item.id)).size).toBe(3)
      expect(c.progress).toMatchObject({ waiting: 6, elsewhere: 2, decided: 0 })
      // A reload has the same item; another page cannot wish for it.
      expect((await next(amara)).item.id).toBe(a.item.id)
      expect((await next(ben, a.item.id)).item.id).toBe(c.item.id)
      await call(port, "decide", {
        ...amara,
        item: a.item.id,
        revision: a.item.revision,
        choice: "edit",
        output: "calm",
      })
      await call(port, "leave", { page: second.page })
      const seen: string[] = []
      for (let item = (await next(ben)).item; item !== undefined; item = (await next(ben)).item) {
        seen.push(item.id)
        const choice = item.kind === "conflict" ? "both" : "reject"
        await call(port, "decide", { ...ben, item: item.id, revision: item.revision, choice, comment: "no" })
      }
      expect(seen).toHaveLength(7)
      expect(seen).not.toContain(a.item.id)
      expect(seen).toContain(b.item.id)
    })
  },
)

it(
  "named reviewers share the queue: an item of two is open to both, a third settles what they dispute, " +
    "others are turned away",
  async () => {
    const workspace = reviewWorkspace(4)
    const spec = join(workspace, "specs", "moods.yaml")
    writeFileSync(
      spec,
      `${readFileSync(spec, "utf8")}review: { reviewers: [amara, ben, chidi], overlap: 1, calibration: 0, ` +
        `goldChecks: 0.5 }\n`,
    )
    await serving(workspace, "moods", async ({ port }) => {
      const chidi = { reviewer: "chidi", page: "page-of-chidi" }
      expect(await call(port, "next", { reviewer: "dana", page: "page-of-dana" })).toMatchObject({
        status: 422,
        json: { message: expect.stringContaining("amara, ben, chidi") },
      })
      const goldIds = new Set(
        linesOf<{ input: { text: string } }>(join(workspace, "datasets", "moods", "seeds.jsonl")).map(
          ({ input }) => input.text,
        ),
      )
      const asked = new Map<string, Set<string>>()
      const disputes: string[] = []
      for (let round = 0; round < 3; round++)
        for (const who of [amara, ben, chidi])
          for (
            let item = (await call(port, "next", who)).json.item;
            item !== undefined;
            item = (await call(port, "next", who)).json.item
          ) {
            asked.set(item.id, (asked.get(item.id) ?? new Set()).add(who.reviewer))
            // A gold check looks like a candidate: the example that it was made of is not shown beside it.
            if (goldIds.has(item.input.text) && !hostile.includes(item.input.text))
              expect(item.nearest.map(({ input }: { input: { text: string } }) => input.text)).not.toContain(
                item.input.text,
              )
            if (item.answers !== undefined) disputes.push(item.id)
            const choice =
              item.kind === "conflict" ? "both" : item.kind === "label-error" || item.answers ? "reject" : "edit"
            const output = who === amara ? "glad" : "sad"
            expect(
              (
                await call(port, "decide", {
                  ...who,
                  item: item.id,
                  revision: item.revision,
                  choice,
                  output,
                  comment: "no",
                })
              ).status,
            ).toBe(200)
          }
      expect([...asked.values()].filter(({ size }) => size === 2).length).toBeGreaterThanOrEqual(4)
      expect(disputes.length).toBeGreaterThan(0)
    })
    expect(await statusOf(workspace)).toMatchObject({ open: 0 })
  },
)

it("skipped items come after the others, in the order in which they were skipped", async () => {
  const workspace = reviewWorkspace(3)
  await serving(workspace, "moods", async ({ port }) => {
    const order: string[] = []
    for (let count = 0; count < 8; count++) {
      const { item } = (await call(port, "next", amara)).json
      order.push(item.id)
      await call(port, "skip", { ...amara, item: item.id })
    }
    expect(new Set(order.slice(0, 6)).size).toBe(6)
    expect(order.slice(6)).toEqual(order.slice(0, 2))
  })
})

it(
  "refuses a reject without a reason, an output that is none, an item that changed, and another reviewer " +
    "than the command line's",
  async () => {
    const workspace = reviewWorkspace(4)
    await serving(
      workspace,
      "orders",
      async ({ port }) => {
        const { item } = (await call(port, "next", ben)).json
        const decide = (answer: Record<string, unknown>) =>
          call(port, "decide", { ...ben, item: item.id, revision: item.revision, ...answer })
        expect(await decide({ choice: "reject", comment: "  " })).toMatchObject({
          status: 422,
          json: { message: expect.stringContaining("reason") },
        })
        const bad = await decide({
          choice: "edit",
          output: { customer: 3, items: [{ product: "flour", quantity: 0, unit: "sack" }] },
        })
        expect(bad.status).toBe(422)
        expect(bad.json.issues.map(({ path }: { path: string }) => path).sort()).toEqual([
          "output",
          "output.customer",
          "output.items.0.quantity",
          "output.items.0.unit",
        ])
        expect(await decide({ choice: "both" })).toMatchObject({ status: 422 })
        expect(await decide({ choice: "accept", revision: "sha256:0" })).toMatchObject({ status: 409 })
        expect(await decide({ choice: "accept", item: "cand_0000000000000000" })).toMatchObject({ status: 409 })
        expect(
          (await call(port, "check", { item: item.id, output: { customer: null, items: [], rush: true } })).json.issues,
        ).toEqual([])
        expect(await decide({ choice: "accept" })).toMatchObject({ status: 200 })
        expect(logOf(workspace, "orders")).toMatchObject([{ reviewer: "amara", verdict: "accept" }])
      },
      { reviewer: "amara" },
    )
  },
)

it("is kept up with what others decide and import meanwhile", { timeout: 30_000 }, async () => {
  const workspace = reviewWorkspace(4)
  await serving(workspace, "moods", async ({ port }) => {
    expect((await call(port, "next", amara)).json.progress.waiting).toBe(7)
    await serving(workspace, "moods", async (second) => {
      const { item } = (await call(second.port, "next", ben)).json
      await call(second.port, "decide", {
        ...ben,
        item: item.id,
        revision: item.revision,
        choice: "edit",
        output: "glad",
      })
    })
    await expect
      .poll(async () => (await call(port, "next", amara)).json.progress.waiting, { timeout: 10_000, interval: 500 })
      .toBe(6)
  })
})
