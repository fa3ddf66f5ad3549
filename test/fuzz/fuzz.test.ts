import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Fuzzer } from "./fuzz.ts"
import { kinds } from "./kinds.ts"

// What people write is wrong now and then, and what the machine wrote gets damaged: a command says so with its place,
// ends with one of its exit codes, prints no stack, hangs nowhere, and leaves nothing half-written.
describe("a damaged file", { timeout: 300_000 }, () => {
  let fuzzer: Fuzzer
  beforeAll(async () => {
    fuzzer = await Fuzzer.open()
  })
  afterAll(() => fuzzer.close())

  it.each(Object.keys(kinds))("of the kind %s ends no command otherwise than it may end", async (kind) => {
    const { findings } = await fuzzer.run(kind, { seed: 17, count: 40 })
    expect(findings).toEqual([])
  })
})
