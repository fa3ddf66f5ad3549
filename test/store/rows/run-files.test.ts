import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "vitest"
import { digest } from "../../../src/core/canonical.ts"
import { DataError } from "../../../src/core/errors.ts"
import { readBasePin, writeBasePin } from "../../../src/store/rows/base-pin.ts"
import { readPlan, runFiles } from "../../../src/store/rows/run-files.ts"
import { Workspace } from "../../../src/store/workspace.ts"

const file = { rows: 3, bytes: 90, digest: "sha256:1" }
const plan = {
  schemaVersion: 1,
  job: "j",
  task: "t",
  dataset: "ds_0000000000000000",
  holdout: "hold_0000000000000000",
  prompt: "prompt_0000000000000000",
  baseModel: "some/model",
  revision: null,
  backend: { name: "elsewhere", options: { nested: { key: [1] } } },
  objective: "sft",
  method: { name: "lora", rank: 16, alpha: 32, dropout: 0, targetModules: "all-linear", later: true },
  hyperparameters: {
    epochs: 3,
    batchSize: 8,
    gradientAccumulation: 1,
    learningRate: 2e-4,
    scheduler: "linear",
    warmupRatio: 0.05,
    weightDecay: 0,
    maxLength: 1024,
  },
  seed: 1,
  files: { train: file, validation: { ...file, encoding: "utf-8" } },
  keyOfALaterVersion: { a: 1 },
}

function filesWith(text: string) {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-run-"))
  writeFileSync(join(folder, "plan.json"), text)
  return { ...runFiles(Workspace.open(folder), "r"), folder }
}

it("a plan that is read back has the digest that it was planned with, keys of other versions included", () => {
  expect(digest(readPlan(filesWith(JSON.stringify(plan))))).toBe(digest(plan))
})

it.each([
  ["cut off", JSON.stringify(plan).slice(0, 200), /plan\.json: is not JSON/],
  ["without its base model", JSON.stringify({ ...plan, baseModel: undefined }), /plan\.json: baseModel: missing/],
])("a plan that is %s is an error that names the file", (_name, text, message) => {
  expect(() => readPlan(filesWith(text))).toThrow(DataError)
  expect(() => readPlan(filesWith(text))).toThrow(message)
})

it("a pin is read back as it was written, and no pin is none", () => {
  const files = filesWith("{}")
  expect(readBasePin(files)).toBeUndefined()
  const pin = { schemaVersion: 1 as const, model: "m", revision: "main", pin: "c0ffee", pinnedAt: "2026", source: "x" }
  writeBasePin(files, pin)
  expect(readBasePin(files)).toEqual(pin)
  writeFileSync(join(files.folder, "base.json"), "{")
  expect(() => readBasePin(files)).toThrow(/base\.json: is not JSON/)
})
