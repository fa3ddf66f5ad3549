import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { json, sample, sampleWorkspace, tuneloop } from "../command-line.ts"
import { seeded } from "../seeded.ts"
import { filesSaying } from "./versions/every-byte.ts"

const task = "ticket-triage"
const secret = "Wilhelmina Quakkelstein-Obafemi"
const gold = `${JSON.stringify({
  input: { body: `This is ${secret}: my order 4711 never came to the lighthouse.` },
  output: "delivery",
})}\n`

/** What may run at once: each with what it is called with, and whether a rerun has to end well. */
const commands: Readonly<Record<string, readonly string[]>> = {
  import: ["seed", "import", task, "more.jsonl"],
  "review-import": ["review", "import", task, sample(task, "recorded-review.csv")],
  build: ["build", task],
  expand: ["expand", task],
  refresh: ["holdout", "refresh", task, "--yes"],
  "label-errors": ["review", "export", task, "--out", "sheet.csv"],
}

/**
 * An erasure beside each of the commands, of which every second one is killed at a moment drawn by the seed: nothing
 * erased is in any file afterwards, every command ends in a known way, and the rerun of each ends well.
 */
export async function erasedBeside(times: number, seed: number, tell: (line: string) => void): Promise<string[]> {
  const random = seeded(seed)
  const broken: string[] = []
  for (const [name, words] of Object.entries(commands)) {
    let [kills, kept] = [0, 0]
    for (let time = 0; time < times; time += 1) {
      const failure = await beside(name, words, { random, isKilled: time % 2 === 1, onKill: () => (kills += 1) })
      if (failure === undefined) kept += 1
      else broken.push(`erase beside ${name}: ${failure}`)
    }
    tell(`erase beside ${name}: ${kept} of ${times} kept, ${kills} killed`)
  }
  return broken
}

/** Two imports of one sheet at once: each decision is in the log once. */
export async function importedTwice(times: number): Promise<string[]> {
  const broken: string[] = []
  for (let time = 0; time < times; time += 1) {
    const workspace = await prepared()
    const words = [...(commands["review-import"] as readonly string[]), "--json"]
    await json(workspace, "expand", task)
    const both = await Promise.all([1, 2].map(() => tuneloop(workspace, words).outcome))
    const added = both.map(({ stdout, stderr }) => {
      if (stdout === "") throw new Error(stderr)
      return (JSON.parse(stdout) as { added: number }).added
    })
    const again = (await json<{ unchanged: number }>(workspace, ...words.slice(0, -1))).unchanged
    if ((added[0] ?? 0) + (added[1] ?? 0) !== again)
      broken.push(`two imports at once added ${added.join(" and ")} of ${again}`)
  }
  return broken
}

async function prepared(): Promise<string> {
  const workspace = sampleWorkspace()
  writeFileSync(join(workspace, "gold.jsonl"), readFileSync(sample(task, "seeds.jsonl"), "utf8") + gold)
  await json(workspace, "seed", "import", task, join(workspace, "gold.jsonl"))
  await json(workspace, "input", "import", task, sample(task, "inputs.jsonl"))
  writeFileSync(join(workspace, "gold.jsonl"), "")
  writeFileSync(
    join(workspace, "more.jsonl"),
    `${JSON.stringify({ input: { body: "Where is the crate of tulips?" }, output: "delivery" })}\n`,
  )
  return workspace
}

async function beside(
  name: string,
  words: readonly string[],
  given: { readonly random: () => number; readonly isKilled: boolean; readonly onKill: () => void },
): Promise<string | undefined> {
  const workspace = await prepared()
  if (name === "review-import") await json(workspace, "expand", task)
  const called = words.map((word) => (word.endsWith(".jsonl") || word === "sheet.csv" ? join(workspace, word) : word))
  const { child, outcome } = tuneloop(workspace, called)
  await new Promise((done) => setTimeout(done, 900 * given.random()))
  const erasing = tuneloop(workspace, ["dataset", "erase", task, "--matching", secret, "--yes"]).outcome
  if (given.isKilled) setTimeout(() => child.kill("SIGKILL"), 1500 * given.random())
  const [ended, erased] = [await outcome, await erasing]
  if (ended.code === null) given.onKill()
  if (![0, 3].includes(erased.code ?? -1)) return `the erasure ended with ${erased.code}: ${erased.stderr}`
  if (ended.code !== null && ![0, 1, 3, 4].includes(ended.code)) return `it ended with ${ended.code}: ${ended.stderr}`
  // What a kill left on its way to its place goes with the next erasure.
  if (ended.code === null) await tuneloop(workspace, ["dataset", "erase", task, "--yes"]).outcome
  const left = filesSaying(workspace, secret)
  if (left.length > 0) return `the text is left in ${left.join(", ")}`
  const again = await tuneloop(workspace, called).outcome
  const mayRefuse = ["refresh"].includes(name)
  if (again.code !== 0 && !mayRefuse) return `run again it ended with ${again.code}: ${again.stderr}`
  return filesSaying(workspace, secret).length === 0 ? undefined : "run again it brought the text back"
}
