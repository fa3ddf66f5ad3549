import { rmSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { idDigest } from "../../src/core/rows/erasure.ts"
import { addTombstones } from "../../src/store/rows/erasures.ts"
import { tryWithLock } from "../../src/store/files/lock.ts"
import { Workspace } from "../../src/store/workspace.ts"
import { linesOf } from "../command-line.ts"
import { filesSaying } from "../stages/versions/every-byte.ts"
import { reviewWorkspace } from "../web/sample-review.ts"
import { call, serving } from "../web/serving.ts"

const amara = { reviewer: "amara", page: "page-of-amara" }

it("a command that holds the rows keeps no other reviewer waiting, and the decision is recorded after it", async () => {
  const workspace = reviewWorkspace(6)
  await serving(workspace, "moods", async ({ port }) => {
    const { item } = (await call(port, "next", amara)).json
    const lock = Workspace.open(workspace).lockFile("moods")
    let others = 0
    const { promise, resolve: release } = Promise.withResolvers<void>()
    const held = tryWithLock(lock, () => promise)
    const decided = call(port, "decide", {
      ...amara,
      item: item.id,
      revision: item.revision,
      choice: "edit",
      output: "glad",
    })
    const start = performance.now()
    for (; others < 5; others += 1)
      expect((await call(port, "next", { reviewer: "ben", page: `page-of-ben-${others}` })).status).toBe(200)
    expect(performance.now() - start).toBeLessThan(5000)
    release()
    await held
    expect((await decided).status).toBe(200)
  })
  rmSync(workspace, { recursive: true })
})

it("one who opens page after page holds no more than some items of the queue", async () => {
  const workspace = reviewWorkspace(40)
  await serving(workspace, "moods", async ({ port }) => {
    for (let page = 0; page < 60; page += 1)
      await call(port, "next", { reviewer: "mallory", page: `page-${page}-of-mallory` })
    const { item, progress } = (await call(port, "next", amara)).json
    expect(item).toBeDefined()
    expect(progress.elsewhere).toBe(20)
  })
  rmSync(workspace, { recursive: true })
})

it("a page that was opened before an erasure records no decision, which might quote the person", async () => {
  const workspace = reviewWorkspace(6)
  await serving(workspace, "moods", async ({ port }) => {
    const [candidate] = linesOf<{ id: string }>(join(workspace, "datasets", "moods", "candidates", "first.jsonl"))
    const { item } = (await call(port, "next", { ...amara, item: candidate?.id })).json
    const tombstone = { id: idDigest(item.id), contents: [], at: "2026-11-24T12:00:00.000Z" }
    addTombstones(Workspace.open(workspace).taskFolder("moods"), [tombstone])
    const choice = { choice: "reject", comment: "Amara Quux wrote this" }
    const decided = await call(port, "decide", { ...amara, item: item.id, revision: item.revision, ...choice })
    expect(decided).toMatchObject({ status: 409, json: { message: expect.stringContaining("erased") } })
    expect(filesSaying(workspace, "Amara Quux")).toEqual([])
  })
  rmSync(workspace, { recursive: true })
})
