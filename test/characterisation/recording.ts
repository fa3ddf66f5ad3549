import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { type Outcome, runTuneloop } from "./checkout.ts"
import { changesBetween, stateOf } from "./folder-state.ts"
import { normalise, type Surroundings } from "./normalise.ts"
import { type Places, type Scenario, startServer } from "./scenario.ts"

/** Each command's recording by the name of its file. */
export type Recording = ReadonlyMap<string, string>

/** What a scenario gave, and what it took. */
export interface Recorded {
  readonly scenario: string
  readonly recording: Recording
  readonly seconds: number
}

/** Runs the scenarios, a few at a time, and hands over each as soon as it is recorded. */
export async function record(
  scenarios: readonly Scenario[],
  places: Places,
  onRecorded: (recorded: Recorded) => void,
): Promise<void> {
  const waiting = [...scenarios]
  const work = async () => {
    for (let scenario = waiting.shift(); scenario !== undefined; scenario = waiting.shift()) {
      const started = performance.now()
      const recording = new Map(filesOf(scenario, places, await recordScenario(scenario, places)))
      onRecorded({ scenario: scenario.name, recording, seconds: (performance.now() - started) / 1000 })
    }
  }
  // A scenario also waits for the disk and for the port of models.
  await Promise.all([work(), work(), work()])
}

/** Replaces what the folder held of these scenarios. */
export function writeRecording(folder: string, recording: Recording): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of recording) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

function filesOf(scenario: Scenario, places: Places, texts: readonly string[]): [string, string][] {
  const missing = scenario.missing?.(places)
  if (missing !== undefined) return [[join(scenario.name, "skipped.txt"), `skipped: ${missing}\n`]]
  return scenario.steps(places).map(({ words }, index) => {
    const number = String(index + 1).padStart(2, "0")
    return [join(scenario.name, `${number}-${slug(words)}.txt`), texts[index] ?? ""]
  })
}

function slug(words: readonly string[]): string {
  const whole = words.filter((word) => !word.startsWith("/")).join("-")
  return whole
    .replace(/[^a-z0-9]+/gi, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 60)
}

async function recordScenario(scenario: Scenario, places: Places): Promise<string[]> {
  if (scenario.missing?.(places) !== undefined) return []
  const workspace = realpathSync(mkdtempSync(join(tmpdir(), "tuneloop-record-")))
  const server = scenario.server && (await startServer(scenario.server))
  try {
    scenario.prepare?.(workspace, places)
    const texts: string[] = []
    for (const { words, before, saveAs, environment } of scenario.steps(places)) {
      before?.(workspace, server)
      const known = stateOf(workspace, surroundingsOf(workspace, places))
      const outcome = await runTuneloop(places.checkout, workspace, words, environment?.(workspace))
      texts.push(describe(outcome, words, known, { workspace, places }))
      if (saveAs !== undefined) writeFileSync(join(workspace, saveAs), outcome.stdout)
    }
    return texts
  } finally {
    server?.close()
    rmSync(workspace, { recursive: true, force: true })
  }
}

function describe(
  { code, stdout, stderr }: Outcome,
  words: readonly string[],
  before: ReturnType<typeof stateOf>,
  { workspace, places }: { workspace: string; places: Places },
): string {
  const surroundings = surroundingsOf(workspace, places)
  const changes = changesBetween(before, stateOf(workspace, surroundings))
  const command = normalise(["tuneloop", ...words].join(" "), surroundings)
  return [
    `$ ${command}`,
    `exit ${code}`,
    ...section("stdout", normalise(spread(stdout), surroundings)),
    ...section("stderr", normalise(spread(stderr), surroundings)),
    ...section("changes", changes.join("\n")),
    "",
  ].join("\n")
}

function section(name: string, text: string): string[] {
  return text === "" ? [] : [`--- ${name}`, text.replace(/\n$/, "")]
}

/** The lines that are JSON over several lines each, so that a difference shows where it is. */
function spread(text: string): string {
  return text
    .split("\n")
    .map((line) => (line.startsWith("{") ? pretty(line) : line))
    .join("\n")
}

function pretty(line: string): string {
  try {
    return JSON.stringify(JSON.parse(line), null, 1)
  } catch {
    return line
  }
}

function surroundingsOf(workspace: string, { checkout, shared, fixtures }: Places): Surroundings {
  return {
    folders: {
      [workspace]: "<workspace>",
      [checkout]: "<checkout>",
      [realpathSync(checkout)]: "<checkout>",
      [fixtures]: "<fixtures>",
      [homedir()]: "<home>",
      ...(shared === undefined ? {} : { [shared]: "<shared>" }),
    },
  }
}
