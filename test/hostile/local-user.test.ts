import { rmSync } from "node:fs"
import { expect, it } from "vitest"
import { tryWithLock } from "../../src/store/files/lock.ts"
import { Workspace } from "../../src/store/workspace.ts"
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
