/** What the commands printed for one training seed. */
export interface SeedResult {
  readonly seed: number
  readonly run: string
  /** The object of `evaluate --json`. */
  readonly evaluation: Readonly<Record<string, unknown>>
  /** The object of `runs ls --json`. */
  readonly listed: Readonly<Record<string, unknown>>
  readonly contenderSeconds: number
}

const metric = "accuracy"

/** A table with a line a seed and the mean; an answer without a figure that is needed throws. */
export function summarise(results: readonly SeedResult[]): string {
  const contenders = contendersOf(results[0])
  const rows = results.map((result) => [
    ...contenders.map((name) => accuracyOf(result, name)),
    trainingSeconds(result),
    result.contenderSeconds,
  ])
  const means = (rows[0] ?? []).map(
    (_, column) => rows.reduce((sum, row) => sum + (row[column] ?? Number.NaN), 0) / rows.length,
  )
  const header = ["seed", ...contenders, "training s", "contenders s"]
  const format = (name: string, row: readonly number[]) => [
    name,
    ...row.map((value, column) => value.toFixed(column < contenders.length ? 3 : 0)),
  ]
  const lines = [
    header,
    ...results.map(({ seed }, index) => format(String(seed), rows[index] ?? [])),
    format("mean", means),
  ]
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return [
    `test ${metric} on ${testRows(results[0])} examples`,
    ...lines.map((line) => line.map((cell, column) => cell.padStart(widths[column] ?? 0)).join("  ")),
  ].join("\n")
}

interface Contender {
  readonly name: string
  readonly metrics: Readonly<Record<string, { readonly value: number; readonly n: number }>>
}

/** The tuned model first. */
function contendersOf(result: SeedResult | undefined): string[] {
  const names = scored(result).map(({ name }) => name)
  return ["tuned", ...names.filter((name) => name !== "tuned")]
}

function accuracyOf(result: SeedResult, name: string): number {
  return measured(result, name).value
}

function testRows(result: SeedResult | undefined): number {
  return measured(result, "tuned").n
}

function measured(result: SeedResult | undefined, name: string): { value: number; n: number } {
  const found = scored(result).find((contender) => contender.name === name)?.metrics[metric]
  if (typeof found?.value !== "number" || typeof found.n !== "number")
    throw new Error(`evaluate printed no ${metric} of ${name}`)
  return found
}

function scored(result: SeedResult | undefined): readonly Contender[] {
  const contenders = result?.evaluation.contenders
  if (!Array.isArray(contenders)) throw new Error("evaluate printed no contenders")
  return contenders as Contender[]
}

/** From the submission to the end of the training, without the making of the trainer environment. */
function trainingSeconds({ listed, run }: SeedResult): number {
  const row = (listed.runs as { run: string; startedAt?: string; endedAt?: string }[] | undefined)?.find(
    (candidate) => candidate.run === run,
  )
  const seconds = (Date.parse(row?.endedAt ?? "") - Date.parse(row?.startedAt ?? "")) / 1000
  if (!Number.isFinite(seconds)) throw new Error(`runs ls printed no times of ${run}`)
  return seconds
}
