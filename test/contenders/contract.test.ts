import { describe, expect, it } from "vitest"
import { load, loadContenders, names } from "../../src/cli/plugins.ts"
import { contenderNeeds, type Contender, type ContenderTools } from "../../src/core/contracts/contender.ts"
import type { Example } from "../../src/core/rows/example.ts"
import { jobSchema } from "../../src/core/training/job.ts"
import { seedsOf, tasks } from "../strategies/tasks.ts"

const contenders = await Promise.all(
  names("contenders").map(async (name) => ({ name, contender: await load<Contender>("contenders", name) })),
)
const settings = jobSchema.parse({ job: "job", task: "task", baseModel: "example/base" }).evaluation
const tools: ContenderTools = {
  base: { kind: "base", model: "example/base", revision: null },
  tuned: { kind: "adapter", base: { model: "example/base", revision: null }, location: "/nowhere" },
  trainClassifier: (rows) => () => rows[0]?.label ?? "",
}
const examplesOf = (kind: keyof typeof tasks, count: number): Example[] =>
  seedsOf(tasks[kind], count).map(({ id, input, output }) => ({
    id: id.replace("seed_", "ex_"),
    input,
    output,
    provenance: { parents: [], strategy: "gold", acceptedBy: "gold" },
  }))

describe.each(contenders)("the contender $name", ({ name, contender }) => {
  const written = contender.argument === undefined ? name : `${name}:one`

  it("says what it is in words that a legend can carry, and what it needs", () => {
    expect(contender.summary).toMatch(/^[a-z].*[^.]$/)
    expect(contender.kinds.length).toBeGreaterThan(0)
    for (const need of contender.needs) expect(contenderNeeds).toContain(need)
    if (contender.alternative !== undefined) {
      expect(contender.alternative.subject).toMatch(/^[A-Z]/)
      expect(contender.alternative.advantage).toMatch(/^[a-z].*[^.]$/)
    }
  })

  it("reads its options from the defaults of a job", async () => {
    const [configured] = await loadContenders([written], settings)
    expect(configured).toMatchObject({ name: written, contender })
  })

  it.each(contender.kinds)(
    "on %s tasks says what it has seen: rows it was given, and all that its answers show",
    async (kind) => {
      const all = examplesOf(kind, 16)
      const [train, rest] = [all.slice(0, 12), all.slice(12)]
      const [configured] = await loadContenders([written], settings)
      const material = { task: tasks[kind], train }
      const seen = contender.seen(material, configured?.options)
      for (const row of seen) expect(train).toContain(row)
      const work = contender.work(material, tools, configured?.options)
      if (work.kind !== "generate") return
      // Whatever of the train rows stands in a prompt was seen.
      const said = rest.flatMap((row) => work.question(row).map(({ content }) => content)).join("\n")
      for (const row of train)
        if (said.includes(String(work.question(row).at(-1)?.content)))
          expect(seen.map(({ id }) => id)).toContain(row.id)
    },
  )

  it.each(contender.kinds)(
    "on %s tasks asks the same for the same rows, and another thing of other rows",
    async (kind) => {
      const all = examplesOf(kind, 16)
      const train = all.slice(0, 12)
      const [row, other] = all.slice(12)
      if (row === undefined || other === undefined) throw new Error("there are too few examples")
      const [configured] = await loadContenders([written], settings)
      const workOn = (rows: readonly Example[]) =>
        contender.work({ task: tasks[kind], train: rows }, tools, configured?.options)
      const [work, again, elsewhere] = [workOn(train), workOn(train.toReversed()), workOn(all.slice(4))]
      expect(again.kind).toBe(work.kind)
      if (work.kind === "generate" && again.kind === "generate") {
        expect(again.question(row)).toEqual(work.question(row))
        expect(work.question(other)).not.toEqual(work.question(row))
        expect([tools.base, tools.tuned]).toContainEqual(work.model)
      }
      if (work.kind === "computed" && elsewhere.kind === "computed") {
        expect(typeof work.learn()(row)).toBe("string")
        // What it learns from is part of what its answers are kept by.
        expect(elsewhere.model).not.toEqual(work.model)
        expect(JSON.parse(JSON.stringify(work.model))).toEqual(work.model)
      }
    },
  )

  it("changes nothing that it is given", async () => {
    const [kind] = contender.kinds
    if (kind === undefined) throw new Error("it does no kind of task")
    const train = examplesOf(kind, 12)
    const before = structuredClone(train)
    const [configured] = await loadContenders([written], settings)
    const work = contender.work({ task: tasks[kind], train }, tools, configured?.options)
    if (work.kind === "generate") for (const row of examplesOf(kind, 2)) work.question(row)
    contender.seen({ task: tasks[kind], train }, configured?.options)
    expect(train).toEqual(before)
  })
})

describe("a contender is named", () => {
  it("as its file is, or the error lists those there are, the least needy first", async () => {
    await expect(loadContenders(["tuned", "few-shots"], settings)).rejects.toThrow(
      /^there is no contender "few-shots"; allowed: zero-shot, .*linear, .*tuned; did you mean "few-shot"\?$/,
    )
    await expect(loadContenders(["toString"], settings)).rejects.toThrow(/there is no contender/)
  })

  it("without a part after a colon where it takes none", async () => {
    await expect(loadContenders(["linear:fast"], settings)).rejects.toThrow('there is no contender "linear:fast"')
  })
})
