import { describe, expect, it } from "vitest"
import { askConsent } from "../../src/cli/consent.ts"
import { jobSchema } from "../../src/core/training/job.ts"
import type { PaidTraining } from "../../src/stages/context.ts"

const { objective, method, hyperparameters } = jobSchema.parse({ job: "mood", task: "mood", baseModel: "gpt" })
const file = { rows: 40, bytes: 900, digest: "sha256:2" }
const act: PaidTraining = {
  backend: "somewhere",
  plan: {
    ...{ schemaVersion: 1, job: "mood", task: "mood", dataset: "ds_1", holdout: "hold_1", prompt: "prompt_1" },
    ...{ baseModel: "gpt", revision: null, backend: { name: "somewhere", options: {} }, seed: 1 },
    ...{ objective, method, hyperparameters, files: { train: file, validation: { ...file, rows: 7 } } },
  },
  planDigest: "sha256:1",
  estimate: { figures: [{ name: "cost", value: 3.5, unit: "USD", source: "provider" }] },
  firstRow: '{"messages": []}',
}
const shown = `would train gpt by lora on ds_1 (40 rows, 7 validation rows) on somewhere
plan sha256:1
train rows: 900 bytes, sha256:2
validation rows: 900 bytes, sha256:2
checkpoint: the last
cost: 3.5 USD (provider)
the first row, as it is sent:
{"messages": []}`

/** Asks, and says what was shown beside the question. */
async function outcome(given: { isAgreed?: boolean; canAsk?: boolean; answer?: string }, asked = act) {
  const notes: string[] = []
  const questions: string[] = []
  const { isAgreed = false, canAsk = false, answer = "" } = given
  const result = await askConsent(asked, {
    isAgreed,
    canAsk,
    note: (message) => void notes.push(message),
    ask: async (question) => {
      questions.push(question)
      return answer
    },
  }).then(
    () => "agreed",
    (error: unknown) => error as { message: string; hint: string; exitCode: number },
  )
  return { result, notes, questions }
}

describe("before money is spent", () => {
  it("the plan and its estimate are shown, and --yes agrees", async () => {
    expect(await outcome({ isAgreed: true, canAsk: true })).toEqual({ result: "agreed", notes: [shown], questions: [] })
  })

  it("without a terminal and without --yes nothing is started", async () => {
    const { result, notes } = await outcome({})
    expect(notes).toEqual([shown])
    expect(result).toMatchObject({
      message: "somewhere costs money and nobody can be asked here",
      hint: "Give --yes to start.",
      exitCode: 2,
    })
  })

  it("where the service itself asks more, its price is shown beside the one before", async () => {
    const raised = { ...act, raised: { agreedUsd: 3.5, askedUsd: 4.25 } }
    const { result, notes } = await outcome({}, raised)
    expect(notes).toEqual([
      "somewhere has the rows and asks about $4.25 for the training of gpt, more than the estimate of $3.50 before",
    ])
    expect(result).toMatchObject({ hint: "Give --yes to start." })
    expect((await outcome({ canAsk: true, answer: "n" }, raised)).result).toMatchObject({ message: "not started" })
    expect((await outcome({ isAgreed: true }, raised)).result).toBe("agreed")
  })

  it.each([
    ["y", true],
    [" YES ", true],
    ["", false],
    ["n", false],
    ["yesterday", false],
  ])("at a terminal the answer %o counts as %s", async (answer, isYes) => {
    const { result, questions } = await outcome({ canAsk: true, answer })
    expect(questions).toEqual([`${shown}\nStart it? [y/N] `])
    expect(result === "agreed").toBe(isYes)
    if (!isYes) expect(result).toMatchObject({ message: "not started", exitCode: 2 })
  })
})
