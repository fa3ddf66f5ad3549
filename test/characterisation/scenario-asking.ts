import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { BatchServer } from "../models/batch-server.ts"
import { ChatServer } from "../models/chat-server.ts"
import { modelUrl } from "./checkout.ts"
import { asJson, type Places, type Scenario, type Server, step } from "./scenario.ts"
import { copySamples, edit } from "./scenario-sample.ts"

const prices = `models:
  - { match: "*", host: 127.0.0.1, inputUsd: 100, outputUsd: 1000, batchShare: 0.5, asOf: 2026-11-24, source: a test }
`
const specification = (workspace: string) => join(workspace, "specs", "ticket-triage.yaml")

function withModel(workspace: string, places: Places): void {
  copySamples(workspace, places)
  writeFileSync(join(workspace, "prices.yaml"), prices)
  const model = `expand:\n  model: { model: test-model, baseUrl: "${modelUrl}" }\n  pace: { concurrency: 1 }\n`
  edit(specification(workspace), "expand:\n", model)
}

const imports = ({ checkout }: Places) => [
  step("seed", "import", "ticket-triage", join(checkout, "datasets", "ticket-triage", "seeds.jsonl")),
  step("input", "import", "ticket-triage", join(checkout, "datasets", "ticket-triage", "inputs.jsonl")),
]

/** Growing by a model that answers at once, and from what it answered. */
export const asking: Scenario = {
  name: "asking",
  server: "chat",
  prepare: withModel,
  steps: (places) => [
    ...imports(places),
    step("expand", "ticket-triage", "--strategy", "self-instruct", "--count", "20", "--dry-run"),
    step("expand", "ticket-triage", "--strategy", "self-instruct", "--count", "20", "--preview", "4"),
    step("expand", "ticket-triage", "--strategy", "self-instruct", "--count", "20", "--budget-usd", "0.001"),
    step("expand", "ticket-triage", "--strategy", "self-instruct", "--count", "20"),
    asJson("expand", "ticket-triage", "--strategy", "self-instruct", "--count", "20"),
    { words: ["expand", "ticket-triage", "--strategy", "label", "--count", "6"], before: answering("Delivery") },
    {
      words: ["expand", "ticket-triage", "--strategy", "persona", "--count", "10"],
      before: (_, server) => refusing(server),
    },
    asJson("ledger", "costs"),
    { words: ["ledger", "recording", "ticket-triage"], saveAs: "recording.jsonl" },
    {
      words: ["expand", "ticket-triage", "--strategy", "persona", "--count", "10"],
      before: (workspace) => edit(specification(workspace), "model: test-model", "provider: replay, model: test-model"),
      environment: (workspace) => ({ TUNELOOP_RECORDING: join(workspace, "recording.jsonl") }),
    },
    step("expand", "ticket-triage", "--strategy", "nonsense"),
    step("ledger", "verify"),
  ],
}

/** Growing by way of a batch, from its creation to its answers. */
export const batch: Scenario = {
  name: "batch",
  server: "batch",
  prepare: withModel,
  steps: (places) => [
    ...imports(places),
    step("expand", "ticket-triage", "--strategy", "paraphrase", "--count", "12", "--batch"),
    step("expand", "ticket-triage", "--strategy", "paraphrase", "--count", "12", "--batch"),
    step("expand", "ticket-triage", "--strategy", "paraphrase", "--count", "12"),
    {
      words: ["expand", "ticket-triage", "--strategy", "paraphrase", "--count", "12", "--batch"],
      before: (_, server) => completeBatch(server),
    },
    step("expand", "ticket-triage", "--strategy", "paraphrase", "--count", "12", "--batch"),
    step("ledger", "costs", "ticket-triage"),
  ],
}

function answering(text: string) {
  return (_: string, server: Server | undefined) => {
    if (server instanceof ChatServer) server.answer = () => text
  }
}

/** The next request is refused for good; those after it are answered as before. */
function refusing(server: Server | undefined): void {
  if (!(server instanceof ChatServer)) return
  server.answer = (text) => text
  server.faults.push({ kind: "status", status: 400, message: "the model test-model is not for you" })
}

/** Ends the batch that runs; each answer has one new example. */
export function completeBatch(server: Server | undefined): void {
  if (!(server instanceof BatchServer)) return
  server.answer = (seed) => `{"input": "example ${seed}: a parcel with ${seed % 97} spoons went to ${seed % 89} doors"}`
  server.end(server.batches.length - 1, "completed")
}
