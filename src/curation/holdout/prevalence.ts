import type { Output } from "../../core/rows/example.ts"
import { stratumOf } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"

/** The rows that have the same label, or the same labels. */
export interface Stratum {
  readonly labels: readonly string[]
  readonly rows: number
}

/** What the true prevalence asks of a dataset version. */
export interface PrevalencePlan {
  /**
   * Of each label: its true share, the rows that have it, and how many more would give it that share of as many rows as
   * there are now.
   */
  readonly targets: Readonly<Record<string, { readonly share: number; readonly rows: number; readonly wanted: number }>>
  /**
   * What a row counts for in training, by stratum: with these the shares are the true ones. Their mean over the rows is
   * 1.
   */
  readonly weights: Readonly<Record<string, number>>
}

/** The share of each label where the model will be used; undefined where the specification does not say. */
export function prevalenceOf(task: TaskSpecification): Readonly<Record<string, number>> | undefined {
  return task.kind === "label" || task.kind === "multilabel" ? task.output.prevalence : undefined
}

/** The outputs by stratum, with the labels of each. */
export function countStrata(task: TaskSpecification, outputs: Iterable<Output>): Map<string, Stratum> {
  const strata = new Map<string, { labels: readonly string[]; rows: number }>()
  for (const output of outputs) {
    const name = stratumOf(task, output)
    const known = strata.get(name)
    if (known) known.rows += 1
    else strata.set(name, { labels: Array.isArray(output) ? output : [String(output)], rows: 1 })
  }
  return strata
}

/** The targets and weights for these rows; undefined without a prevalence. */
export function prevalencePlan(
  task: TaskSpecification,
  strata: ReadonlyMap<string, Stratum>,
): PrevalencePlan | undefined {
  const prevalence = prevalenceOf(task)
  if (prevalence === undefined) return undefined
  const all = [...strata.values()].reduce((sum, { rows }) => sum + rows, 0)
  const rowsOf = (label: string) =>
    [...strata.values()].reduce((sum, { labels, rows }) => sum + (labels.includes(label) ? rows : 0), 0)
  const targets = Object.entries(prevalence).map(([label, share]) => {
    const rows = rowsOf(label)
    return [label, { share, rows, wanted: Math.max(0, Math.round(share * all) - rows) }] as const
  })
  return { targets: Object.fromEntries(targets), weights: weightsFor(prevalence, strata) }
}

/** How many more rows of each label are wanted, the most wanted first, without labels of which none is. */
export function wantedOf(targets: PrevalencePlan["targets"] = {}): Record<string, number> {
  return Object.fromEntries(
    Object.entries(targets)
      .flatMap(([label, { wanted }]) => (wanted > 0 ? [[label, wanted] as const] : []))
      .sort(([, a], [, b]) => b - a),
  )
}

/** `12 more delivery, 3 more fault`; empty where none is wanted. */
export function wantedText(wanted: Readonly<Record<string, number>>): string {
  return Object.entries(wanted)
    .map(([label, more]) => `${more} more ${label}`)
    .join(", ")
}

// A row counts for at most so many: a label with a few rows must not become the whole training.
const mostWeight = 10
const rounds = 100

/**
 * The weight of each stratum with which the labels have their true shares. Where a row has one label that is its share
 * over the share of its rows; a label without a row takes no part. Where rows have several it is found by raking
 * (Deming and Stephan 1940): the weights of the rows with a label and of those without it are scaled to its share,
 * label after label, until nothing moves; shares that no weights give are met as nearly as that goes.
 *
 * At most `most` (10), with a mean of 1 over the rows, rounded to six places; no rows give none. Independent of the
 * order of the strata.
 */
export function weightsFor(
  prevalence: Readonly<Record<string, number>>,
  strata: ReadonlyMap<string, Stratum>,
  most = mostWeight,
): Record<string, number> {
  const names = [...strata.keys()].sort()
  if ([...strata.values()].every(({ labels }) => labels.length === 1))
    return bounded(shareOverShare(prevalence, strata), strata, most)
  const weights = new Map(names.map((name) => [name, 1]))
  const mass = (isWanted: (labels: readonly string[]) => boolean) =>
    names.reduce((sum, name) => {
      const { labels, rows } = strata.get(name) as Stratum
      return sum + (isWanted(labels) ? rows * (weights.get(name) as number) : 0)
    }, 0)
  const scale = (isWanted: (labels: readonly string[]) => boolean, factor: number) => {
    for (const name of names)
      if (isWanted((strata.get(name) as Stratum).labels)) weights.set(name, (weights.get(name) as number) * factor)
  }
  for (let round = 0; round < rounds; round += 1) {
    let moved = 0
    for (const [label, share] of Object.entries(prevalence).sort(([a], [b]) => (a < b ? -1 : 1))) {
      const withLabel = mass((labels) => labels.includes(label))
      const without = mass((labels) => !labels.includes(label))
      if (withLabel === 0 || without === 0) continue
      const all = withLabel + without
      moved = Math.max(moved, Math.abs(withLabel / all - share))
      scale((labels) => labels.includes(label), (share * all) / withLabel)
      scale((labels) => !labels.includes(label), ((1 - share) * all) / without)
    }
    if (moved < 1e-9) break
  }
  return bounded(weights, strata, most)
}

function shareOverShare(
  prevalence: Readonly<Record<string, number>>,
  strata: ReadonlyMap<string, Stratum>,
): Map<string, number> {
  const all = [...strata.values()].reduce((sum, { rows }) => sum + rows, 0)
  const shares = new Map(
    [...strata].map(([name, { labels, rows }]) => [name, prevalence[labels[0] as string] ?? rows / all]),
  )
  const present = [...shares.values()].reduce((sum, share) => sum + share, 0)
  return new Map([...strata].map(([name, { rows }]) => [name, ((shares.get(name) as number) / present) * (all / rows)]))
}

/**
 * At most `most`, the others scaled so that the mean stays 1; when that lifts others over it, these are held there as
 * well.
 */
function bounded(
  weights: ReadonlyMap<string, number>,
  strata: ReadonlyMap<string, Stratum>,
  most: number,
): Record<string, number> {
  const rows = (names: readonly string[]) => names.reduce((sum, name) => sum + (strata.get(name)?.rows ?? 0), 0)
  const names = [...weights.keys()]
  const held = new Set<string>()
  let scaled = new Map(weights)
  for (;;) {
    const free = names.filter((name) => !held.has(name))
    const mass = free.reduce((sum, name) => sum + (weights.get(name) as number) * (strata.get(name) as Stratum).rows, 0)
    const left = rows(names) - (held.size === 0 ? 0 : most * rows([...held]))
    scaled = new Map(names.map((name) => [name, held.has(name) ? most : ((weights.get(name) as number) * left) / mass]))
    const over = free.filter((name) => (scaled.get(name) as number) > most + 1e-9)
    if (over.length === 0) break
    for (const name of over) held.add(name)
  }
  return Object.fromEntries([...scaled].map(([name, weight]) => [name, Number(weight.toFixed(6))]))
}
