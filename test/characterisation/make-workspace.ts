// Makes the workspace of test/fixtures by really running a checkout's command line and the real trainer:
// node test/characterisation/make-workspace.ts CHECKOUT OUT PYTHON
import { spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { BatchServer } from "../models/batch-server.ts"
import { ChatServer } from "../models/chat-server.ts"
import { modelPort, modelUrl, runTuneloop } from "./checkout.ts"
import { decide } from "./decide.ts"
import { dumpLedger } from "./ledger-dump.ts"

/** What the sentences of the task are about. */
const things = [
  ...["garden", "letter", "river", "holiday", "kitchen", "journey", "concert", "winter", "neighbour", "harvest"],
  ...["bridge", "picture", "morning", "village", "teacher", "station", "island", "theatre", "market", "library"],
]
const [checkout = ".", out = "", python = ""] = process.argv.slice(2)
const workspace = mkdtempSync(join(tmpdir(), "tuneloop-fixture-"))
await make()
pack()

async function make(): Promise<void> {
  writeSources()
  makeModel()
  await run(["seed", "import", "mood", "gold.jsonl"])
  await run(["input", "import", "mood", "inputs.jsonl"])
  const chat = await ChatServer.start(modelPort)
  await run(["expand", "mood", "--strategy", "self-instruct"])
  chat.close()
  await run(["review", "export", "mood", "--out", "review.csv", "--reviewer", "amara", "--only", "candidate"])
  decide(join(workspace, "review.csv"))
  await run(["review", "import", "mood", "review.csv"])
  await run(["build", "mood"])
  await run(["train", "finished", "--wait"])
  await run(["evaluate", "latest"])
  await leaveBatch()
  await leaveDead()
  await leaveUnseen()
}

/** A batch that the provider has taken and not answered. */
async function leaveBatch(): Promise<void> {
  const batches = await BatchServer.start(modelPort)
  await run(["expand", "mood", "--strategy", "paraphrase", "--batch"], 3)
  for (const batch of batches.batches) batch.status = "in_progress"
  writeFileSync(join(workspace, "provider.json"), `${JSON.stringify(batches.batches, null, 2)}\n`)
  batches.close()
}

/** A run whose trainer was killed after its first checkpoint, which nobody has seen. */
async function leaveDead(): Promise<void> {
  await run(["train", "killed"])
  const folder = runFolder("killed")
  await until(() => hasEvent(folder, "checkpoint"))
  await run(["runs", "show", "latest"])
  process.kill(-trainerPid(folder), "SIGKILL")
}

/** A run that was seen to train, and ended when nobody looked. */
async function leaveUnseen(): Promise<void> {
  await run(["train", "unseen"])
  const folder = runFolder("unseen")
  await until(() => hasEvent(folder, "metrics"))
  await run(["runs", "show", "latest"])
  await until(() => existsSync(join(folder, "trainer", "exit.json")))
}

async function run(words: readonly string[], expected = 0): Promise<void> {
  const outcome = await runTuneloop(resolve(checkout), workspace, words, { TUNELOOP_PYTHON: python })
  process.stderr.write(`${words.join(" ")}: ${outcome.code}\n${outcome.stdout}${outcome.stderr}\n`)
  if (outcome.code !== expected) throw new Error(`${words.join(" ")} ended with ${outcome.code}`)
}

function writeSources(): void {
  for (const folder of ["specs", "jobs"]) mkdirSync(join(workspace, folder))
  const write = (file: string, text: string) => writeFileSync(join(workspace, file), text)
  write(
    "specs/mood.yaml",
    `task: mood
kind: label
description: Tell whether a sentence is glad or sad.
input:
  text: { description: The sentence }
output:
  labels: { glad: good mood, sad: bad mood }
prompt:
  system: |
    Answer glad or sad.
    {definitions}
expand:
  model: { model: test-model, baseUrl: "${modelUrl}" }
  strategies:
    self-instruct: { count: 20 }
    paraphrase: { count: 12 }
verdict:
  bootstrap: 200
`,
  )
  for (const [job, epochs] of [
    ["finished", 3],
    ["killed", 40],
    ["unseen", 12],
  ] as const)
    write(
      `jobs/${job}.yaml`,
      `job: ${job}
task: mood
baseModel: ./tiny-model
method: { name: lora, rank: 2, alpha: 4 }
hyperparameters: { epochs: ${epochs}, batchSize: 4, learningRate: 0.001 }
evaluation: { contenders: [zero-shot, few-shot, linear], maxNewTokens: 3, latencyRows: 2 }
`,
    )
  const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("")
  write("gold.jsonl", lines(goldRows()))
  write("inputs.jsonl", lines(things.map((thing) => ({ input: { text: `So this is what they call a ${thing}` } }))))
}

function goldRows(): object[] {
  return things.flatMap((thing, index) => [
    { input: `What a lovely ${thing}, it made number ${index} my day`, output: "glad" },
    { input: `The ${thing} was a loss and ${index} tears were wept over`, output: "sad" },
  ])
}

/** The smallest model that the trainer takes, with the tokenizer of make_tiny_model.py. */
function makeModel(): void {
  const script = `
import sys
sys.path.insert(0, sys.argv[1])
import torch, transformers
from make_tiny_model import make_tokenizer
tokenizer = make_tokenizer()
torch.manual_seed(1)
config = transformers.LlamaConfig(
    vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
    num_key_value_heads=1, max_position_embeddings=1024, initializer_range=0.2, bos_token_id=None,
    eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
transformers.LlamaForCausalLM(config).save_pretrained(sys.argv[2])
tokenizer.save_pretrained(sys.argv[2])
`
  const words = ["-c", script, join(resolve(checkout), "trainer"), join(workspace, "tiny-model")]
  const { status } = spawnSync(python, words, { stdio: "inherit", env: { ...process.env, HF_HUB_OFFLINE: "1" } })
  if (status !== 0) throw new Error("the tiny model was not made")
}

function runFolder(job: string): string {
  const runs = join(workspace, "jobs", "runs")
  return join(runs, readdirSync(runs).find((run) => run.startsWith(`${job}-`)) ?? "")
}

function hasEvent(folder: string, type: string): boolean {
  const file = join(folder, "trainer", "events.jsonl")
  return existsSync(file) && readFileSync(file, "utf8").includes(`"type": "${type}"`)
}

function trainerPid(folder: string): number {
  return (JSON.parse(readFileSync(join(folder, "trainer", "process.json"), "utf8")) as { pid: number }).pid
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 300_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("waited five minutes in vain")
    await new Promise((done) => setTimeout(done, 20))
  }
}

/**
 * The workspace as a fixture: the ledger as SQL, no locks, and of checkpoints only the one that training resumes from.
 */
function pack(): void {
  rmSync(out, { recursive: true, force: true })
  cpSync(workspace, out, { recursive: true, filter: isKept })
  writeFileSync(join(out, "ledger.sql"), dumpLedger(join(workspace, ".tuneloop", "ledger.db")))
  for (const path of readdirSync(out, { recursive: true, encoding: "utf8" }))
    if (path.endsWith("process.json")) forgetProcess(join(out, path))
  process.stderr.write(`made in ${workspace}\n`)
}

function isKept(file: string): boolean {
  const path = file.slice(workspace.length + 1)
  const run = /^jobs\/runs\/(\w+)-.*\/checkpoints/.exec(path)?.[1]
  if (run !== undefined && run !== "killed") return false
  return !path.startsWith(".tuneloop") && !path.includes("checkpoint-12")
}

/** No process of another machine has the number: Linux gives none above 2 ** 22. */
function forgetProcess(file: string): void {
  const text = readFileSync(file, "utf8")
  writeFileSync(file, text.replace(/"pid": \d+/, '"pid": 4194999'))
}
