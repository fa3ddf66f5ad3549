import { fixtureRuns } from "../characterisation/fixture.ts"
import { mutateParquet, mutateSqlite, mutateWorkbook } from "./binary-mutations.ts"
import { mutateBytes, mutateJsonText, mutateText, mutateYaml, type Random } from "./mutations.ts"

/** A kind of file that is read. */
export interface Kind {
  /** Files of the base workspace; one of them is changed. */
  readonly files: readonly string[]
  /** For a file that the base does not have. */
  readonly text?: string
  readonly change: (random: Random, bytes: Buffer) => Buffer | Promise<Buffer>
  /** Command lines that read it, one of which is run; `FILE` stands for its path and `OUT` for a new one. */
  readonly commands: readonly string[]
}

/** A change of a text, or now and then of the bytes that it is kept in. */
const inText =
  (change: (random: Random, text: string) => string) =>
  (random: Random, bytes: Buffer): Buffer =>
    random() < 0.05 ? mutateBytes(random, bytes) : Buffer.from(change(random, bytes.toString("utf8")))

const [json, yaml, text] = [inText(mutateJsonText), inText(mutateYaml), inText(mutateText)] as const

const version = "datasets/mood/versions/ds_e60bc8fed2daea66"
const holdout = "datasets/mood/holdouts/hold_d7bfa20098a9c2c3"
const run = `jobs/runs/${fixtureRuns.finished}`
const unseen = `jobs/runs/${fixtureRuns.unseen}`
const imports = ["seed import mood FILE", "seed import mood FILE --skip-invalid", "build mood --from FILE"]
const reading = ["status", "status mood", "build mood", "review status mood"]

/** Every kind of file that a command reads: those that people write, and those that the machine wrote. */
export const kinds: Readonly<Record<string, Kind>> = {
  settings: { files: ["tuneloop.yaml"], change: yaml, commands: ["config show", "status", "job check finished"] },
  specification: {
    files: ["specs/mood.yaml", "specs/order-extraction.yaml"],
    change: yaml,
    commands: [
      ...["spec check", "status", "build mood", "expand order-extraction --strategy recombine"],
      ...["seed import mood rows.jsonl", "seed import order-extraction datasets/order-extraction/seeds.jsonl"],
    ],
  },
  job: {
    files: ["jobs/finished.yaml"],
    change: yaml,
    commands: ["job check finished", "train finished --dry-run", "models ls", "status"],
  },
  facts: {
    files: ["prices.yaml", "sunsets.yaml", "licences.yaml"],
    change: yaml,
    commands: ["models ls", "job check finished", "ledger costs", "spec check mood"],
  },
  "json-lines": { files: ["rows.jsonl"], change: json, commands: [...imports, "dedup FILE --field input.text"] },
  json: { files: ["rows.json"], change: json, commands: [...imports, "dedup FILE --field input.text"] },
  csv: { files: ["rows.csv", "rows.tsv"], change: text, commands: [...imports, "input import mood FILE"] },
  workbook: { files: ["rows.xlsx"], change: mutateWorkbook, commands: imports },
  parquet: { files: ["rows.parquet"], change: mutateParquet, commands: imports },
  "review-sheet": { files: ["review.csv"], change: text, commands: ["review import mood FILE"] },
  "review-workbook": { files: ["review.xlsx"], change: mutateWorkbook, commands: ["review import mood FILE"] },
  rows: {
    files: ["datasets/mood/seeds.jsonl", "datasets/mood/inputs.jsonl", "datasets/mood/splits.jsonl"],
    change: json,
    commands: [
      ...reading,
      "seed import mood rows.jsonl",
      "dataset erase mood --matching garden",
      "review suspects mood",
    ],
  },
  growth: {
    files: [
      "datasets/mood/candidates/self-instruct-fb95f88185f5.jsonl",
      "datasets/mood/decisions/2026-11-30-amara-bf89741e-afe2b3ab.jsonl",
      "datasets/mood/yields/self-instruct-fb95f88185f5.json",
    ],
    change: json,
    commands: [...reading, "review export mood --out OUT.csv", "review agreement mood", "ledger costs mood"],
  },
  manifest: {
    files: [`${version}/manifest.json`, `${holdout}/manifest.json`, "datasets/mood/versions/latest.json"],
    change: json,
    commands: [
      ...[...reading, "dataset ls", "dataset show ds_e60bc8fed2daea66", "train finished --dry-run", "models ls"],
      ...["dataset card mood", "dataset export mood --format messages --out OUT", "evaluate finished"],
    ],
  },
  frozen: {
    files: [
      `${version}/train.jsonl`,
      `${version}/dropped.jsonl`,
      `${holdout}/test.jsonl`,
      `${holdout}/validation.jsonl`,
    ],
    change: json,
    commands: [
      ...["build mood", "dataset show mood seed_03a17c8b85c932cd", "train finished --dry-run", "evaluate finished"],
      "dataset diff ds_e60bc8fed2daea66 ds_e60bc8fed2daea66",
    ],
  },
  run: {
    files: [`${run}/plan.json`, `${run}/events.jsonl`, `${unseen}/plan.json`, `${unseen}/events.jsonl`],
    change: json,
    commands: [
      "runs ls",
      "runs show finished",
      "runs show unseen",
      "status mood",
      "evaluate finished",
      "runs logs finished",
    ],
  },
  evaluation: {
    files: [
      `${run}/evaluations/eval_a11095caa0dbe521.json`,
      `${run}/predictions/eval_a11095caa0dbe521/few-shot.jsonl`,
      `${run}/predictions/eval_a11095caa0dbe521/tuned.jsonl`,
    ],
    change: json,
    commands: [
      "status mood",
      "evaluate finished",
      "evaluate finished --against few-shot,recorded:old",
      "runs show finished",
    ],
  },
  trainer: {
    files: ["exit.json", "process.json", "events.jsonl"].map((name) => `${unseen}/trainer/${name}`),
    change: json,
    commands: ["runs show unseen", "runs sync", "runs logs unseen", "train unseen --dry-run"],
  },
  recording: {
    files: ["datasets/mood/recorded/old.jsonl"],
    change: json,
    commands: ["evaluate finished --against few-shot,recorded:old", "dataset erase mood --matching garden"],
  },
  tombstones: {
    files: ["datasets/mood/tombstones.jsonl"],
    change: json,
    commands: [...reading, "seed import mood rows.jsonl", "dataset erase mood --matching garden"],
  },
  erased: {
    files: [`${version}/erased.json`],
    text: JSON.stringify({
      at: "2026-11-30T00:00:00Z",
      files: { "train.jsonl": { rows: 24, digest: `sha256:${"0".repeat(64)}`, removed: ["ex_1f960aea6f32d08e"] } },
    }),
    change: json,
    commands: ["dataset show ds_e60bc8fed2daea66", "train finished --dry-run", "status mood", "build mood"],
  },
  ledger: {
    files: [".tuneloop/ledger.db"],
    change: mutateSqlite,
    commands: [
      "ledger verify",
      "ledger costs",
      "runs ls",
      "status mood",
      "runs show finished",
      "ledger recording mood",
    ],
  },
}
