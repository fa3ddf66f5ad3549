import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { trainerPython } from "../../src/backends/_trainer-environment.ts"
import { packageRoot } from "../../src/cli/version.ts"
import { type Outcome, outcomeOf, tuneloop } from "../command-line.ts"

export { tuneloop }

/** The trainer environment with everything the tests need; made when it is not there. */
export function python(): Promise<string> {
  return trainerPython({
    environment: process.env,
    allowedHosts: [],
    fetch,
    now: () => new Date(),
    packageRoot,
    progress: () => undefined,
    sleep: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
    signal: new AbortController().signal,
  })
}

export function run(
  command: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  return outcomeOf(spawn(command, words, { env: { ...process.env, HF_HUB_OFFLINE: "1", ...environment } }))
}

/**
 * A workspace with a task of two labels, its gold examples imported, and a job on a random model of a few hundred
 * thousand weights.
 */
export async function tinyWorkspace(name: string): Promise<string> {
  const workspace = mkdtempSync(join(tmpdir(), `tuneloop-${name}-`))
  for (const folder of ["specs", "jobs"]) mkdirSync(join(workspace, folder))
  await run(await python(), [join(packageRoot, "trainer", "make_tiny_model.py"), join(workspace, "tiny-model")])
  writeFileSync(
    join(workspace, "specs", "mood.yaml"),
    "task: mood\nkind: label\ndescription: Tell whether a sentence is glad or sad.\ninput:\n  text: " +
      "{}\noutput:\n  labels: { glad: good mood, sad: bad mood }\nprompt:\n  system: 'Answer glad or " +
      "sad.'\nverdict:\n  bootstrap: 200\n",
  )
  writeFileSync(
    join(workspace, "jobs", "mood.yaml"),
    `job: mood\ntask: mood\nbaseModel: ${join(workspace, "tiny-model")}\nhyperparameters: { epochs: 12, ` +
      `batchSize: 2, learningRate: 0.001 }\nevaluation: { contenders: [zero-shot, few-shot, linear], ` +
      `maxNewTokens: 3, latencyRows: 2 }\n`,
  )
  const things = [
    "garden",
    "letter",
    "river",
    "holiday",
    "kitchen",
    "journey",
    "concert",
    "winter",
    "neighbour",
    "harvest",
    "bridge",
    "picture",
    "morning",
    "village",
    "teacher",
    "station",
    "island",
    "theatre",
    "market",
    "library",
  ]
  const rows = things.flatMap((thing, index) => [
    { input: `What a lovely ${thing}, it made number ${index} my day`, output: "glad" },
    { input: `The ${thing} was a loss and ${index} tears were wept over`, output: "sad" },
  ])
  writeFileSync(join(workspace, "gold.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
  for (const words of [
    ["seed", "import", "mood", join(workspace, "gold.jsonl")],
    ["build", "mood"],
  ]) {
    const { code, stderr } = await tuneloop(workspace, words).outcome
    if (code !== 0) throw new Error(`${words.join(" ")} ended with ${code}: ${stderr}`)
  }
  return workspace
}
