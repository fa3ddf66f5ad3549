import { confusionOf } from "../../../src/evaluation/scores/confusion.ts"
import { scoreContenders } from "../../../src/evaluation/scores/contenders.ts"
import { evaluationNotes } from "../../../src/evaluation/verdict/notes.ts"
import type { ReportData } from "../../../src/evaluation/report/report-data.ts"
import { decide } from "../../../src/evaluation/verdict/verdict.ts"
import accuracy from "../../../src/metrics/accuracy.ts"
import { labelTask, rightWhere } from "../scores/sample-rows.ts"

/** A report of 100 test examples: tuned 90 right, few-shot 70, linear 90. */
export function sampleReport(): ReportData {
  const task = labelTask({ bootstrap: 200 })
  const right = (isRight: (row: number) => boolean) =>
    rightWhere(Array.from({ length: 100 }, (_, row) => (isRight(row) ? 1 : 0)))
  const contender = (name: string, rows: ReturnType<typeof right>) => ({
    name,
    rows,
    predictions: rows.map((_, row) => ({ latencyMs: 30 + (row % 7), inputTokens: 90, outputTokens: 3 })),
  })
  const contenders = [
    contender(
      "tuned",
      right((row) => row < 90),
    ),
    contender(
      "few-shot",
      right((row) => row < 70),
    ),
    contender(
      "linear",
      right((row) => row >= 10),
    ),
  ]
  const scoring = scoreContenders({
    task,
    contenders,
    metrics: [{ name: "accuracy", metric: accuracy, options: {} }],
    seed: 1,
  })
  const [comparison] = scoring.comparisons
  if (!comparison) throw new Error("the sample has nothing to compare")
  return {
    task: "ticket-triage",
    description: "Route a ticket.",
    job: "triage-small",
    run: "triage-small-20261124T100000Z-9fc31a",
    evaluation: "eval_5a1c88e02b7d4f10",
    verdict: decide({
      rule: task.verdict,
      metric: "accuracy",
      rows: 100,
      tuned: 0.9,
      incumbent: 0.7,
      interval: comparison,
      pValue: comparison.pValue,
      discordance: comparison.discordance,
    }),
    metric: "accuracy",
    incumbent: "few-shot",
    confidence: 0.95,
    notes: evaluationNotes({
      task,
      metric: "accuracy",
      scoring,
      rows: contenders,
      alternatives: [
        {
          name: "linear",
          subject: "The linear model, trained on the same examples,",
          advantage: "it costs nothing to run",
        },
      ],
    }),
    explained: { tuned: "the base model with the trained adapter", linear: "a word-counting classifier" },
    ...scoring,
    confusion: confusionOf(contenders[0]?.rows ?? [], ["a", "b", "c"]),
    training: [1, 2, 3, 4].map((step) => ({
      step,
      values: { loss: 2 / step, ...(step % 2 === 0 ? { evalLoss: 2.2 / step } : {}) },
    })),
    failures: {
      validationRows: 20,
      wrong: 2,
      shown: [
        { id: "seed_0000000000000001", input: "Where is my parcel?", expected: "a", answer: "b", isReadable: true },
        {
          id: "seed_0000000000000002",
          input: "Cancel it",
          expected: "b",
          answer: "I think it is b, because",
          isReadable: false,
        },
      ],
    },
    provenance: {
      dataset: "ds_7be04a91c2f35d68",
      holdout: "hold_1f2e3d4c5b6a7988",
      prompt: "prompt_c0ffee1234567890",
      baseModel: "example/base-model",
      revision: null,
      backend: "local",
      method: { name: "lora", rank: 16, alpha: 32 },
      hyperparameters: { epochs: 3, learningRate: 2e-4 },
      seed: 1,
      rows: { train: 812, validation: 20, test: 100 },
      planDigest: "sha256:9fc31ab7e08d5523b7a3b3f1a4f5e1f2a6c29b7d0f6e4b8c1a2d3e4f50617283",
      testOpenings: 3,
      leaks: { checks: ["lineage", "exact", "near", "ngram"], found: 0 },
      trainingSeconds: 412,
      trainedOn: "two CPU cores",
      evaluatedOn: "another machine",
      toolVersion: "0.1.0",
      at: "2026-11-24T10:00:00Z",
    },
  }
}
