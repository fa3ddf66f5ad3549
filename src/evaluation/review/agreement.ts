import { canonicalJson } from "../../core/canonical.ts"
import type { Decision } from "../../core/rows/example.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import {
  alphaInterval,
  cohensKappa,
  krippendorffsAlpha,
  masi,
  nominal,
  observedAgreement,
} from "../statistics/reliability.ts"

/**
 * An item that several reviewers decided on, in the same revision and under the same guideline: what each made of it,
 * `reject` or the output as canonical JSON.
 */
export type RatedItem = ReadonlyMap<string, string>

interface Figure {
  readonly value: number
  /** The 95 percent bootstrap interval over items. */
  readonly low: number
  readonly high: number
}

/** How far reviewers agree. Figures that are not defined are null. */
export interface AgreementReport {
  /** Items that more than one reviewer decided on. */
  readonly items: number
  readonly unanimous: number
  readonly reviewers: readonly string[]
  /** The share of pairs of decisions that are equal. */
  readonly raw: number | null
  /** Krippendorff's alpha: nominal; for sets of labels by the MASI distance. */
  readonly alpha: Figure | null
  /** Every two reviewers with items in common. */
  readonly pairs: readonly {
    readonly a: string
    readonly b: string
    readonly items: number
    readonly raw: number
    readonly kappa: number | null
  }[]
  /** Each label against all others, `reject` among them, the one with the lowest alpha first. */
  readonly labels: readonly {
    readonly label: string
    readonly items: number
    readonly raw: number
    readonly alpha: Figure | null
  }[]
  /** What was taken for what, the most frequent first. */
  readonly confusions: readonly { readonly a: string; readonly b: string; readonly items: number }[]
  readonly advice: string
}

/**
 * The items that more than one reviewer decided on. The last decision of each counts, and a settled dispute is no
 * opinion; accepting and writing the proposed output again are the same. `proposed` gives an item's proposed output, if
 * it has one.
 */
export function ratedItems(decisions: readonly Decision[], proposed: (item: string) => unknown): RatedItem[] {
  const opinions = decisions.filter(
    ({ item, settles }) => settles === undefined && !/^(adjudication|conflict)_/.test(item),
  )
  const groups = Map.groupBy(opinions, ({ item, revision, guideline }) => `${item} ${revision} ${guideline}`)
  return [...groups.values()].flatMap((group) => {
    const ratings = new Map(group.map((decision) => [decision.reviewer, outcomeOf(decision, proposed(decision.item))]))
    return ratings.size < 2 ? [] : [ratings]
  })
}

/**
 * What reviewers' overlapping decisions say, and what to do about it. The same items in any order of reviewers give the
 * same report.
 */
export function agreementReport(task: TaskSpecification, items: readonly RatedItem[]): AgreementReport {
  const distance = task.kind === "multilabel" ? masi : nominal
  const units = items.map((item) => [...item].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value))
  const figures = {
    items: items.length,
    unanimous: units.filter((unit) => new Set(unit).size === 1).length,
    reviewers: [...new Set(items.flatMap((item) => [...item.keys()]))].sort(),
    raw: items.length === 0 ? null : observedAgreement(units),
    alpha: figure(units, distance),
    pairs: pairsOf(items),
    labels: task.kind === "label" || task.kind === "multilabel" ? labelsOf(units) : [],
    confusions: confusionsOf(units),
  }
  return { ...figures, advice: adviceOn(figures, (name) => krippendorffsAlpha(withoutReviewer(items, name), distance)) }
}

const fewItems = 20
/**
 * Krippendorff's customary limits: below the first nothing can be concluded, from the second on values are reliable.
 */
const [tentative, reliable] = [0.667, 0.8]

function adviceOn(report: Omit<AgreementReport, "advice">, alphaWithout: (name: string) => number | undefined): string {
  const { items, alpha, reviewers, confusions, labels } = report
  if (items === 0)
    return (
      "No item was decided on by two reviewers under one guideline. Name the reviewers in review.reviewers: " +
      "then two decide on a share of the items."
    )
  if (alpha === null)
    return (
      `Reviewers gave one and the same answer to all ${items} items they share: alpha is not defined, and ` +
      "nothing speaks against the guideline."
    )
  const few =
    items < fewItems ? ` With ${items} shared items this says little yet; from about ${fewItems} on it does.` : ""
  if (alpha.value >= reliable) return `Reviewers agree: the decisions can be relied on.${few}`
  const odd =
    reviewers.length < 3
      ? undefined
      : reviewers
          .map((name) => ({ name, alpha: alphaWithout(name) ?? 0 }))
          .filter((other) => other.alpha >= tentative && other.alpha >= alpha.value + 0.1)
          .sort((a, b) => b.alpha - a.alpha)[0]
  if (odd)
    return (
      `${odd.name} decides differently from the others (alpha ${odd.alpha.toFixed(2)} without): go through ` +
      `shared items with ${odd.name} before they go on.${few}`
    )
  const [most] = confusions
  const [lowest] = labels
  const where = most ? `, most often between ${most.a} and ${most.b} (${most.items} items)` : ""
  const label = lowest?.alpha ? `; the label with the lowest alpha is ${lowest.label}` : ""
  if (alpha.value < tentative)
    return (
      `The guideline is unclear: reviewers read it differently${where}${label}. Say in the guideline how ` +
      `such cases are decided, before more is reviewed.${few}`
    )
  return (
    `Reviewers mostly agree, not enough to rely on each decision: they differ${where}${label}. Add those ` +
    `cases to the guideline.${few}`
  )
}

function outcomeOf({ verdict, output }: Decision, proposed: unknown): string {
  if (verdict === "reject") return verdict
  const final = output ?? (verdict === "accept" ? proposed : undefined)
  return final === undefined
    ? verdict
    : canonicalJson(Array.isArray(final) && final.every((each) => typeof each === "string") ? final.toSorted() : final)
}

function figure(units: readonly (readonly string[])[], distance: typeof nominal): Figure | null {
  const value = krippendorffsAlpha(units, distance)
  return value === undefined ? null : { value, ...alphaInterval(units, distance) }
}

function pairsOf(items: readonly RatedItem[]): AgreementReport["pairs"] {
  const pairs = new Map<string, { a: string; b: string; values: [string, string][] }>()
  for (const item of items) {
    const ratings = [...item].sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [index, [a, first]] of ratings.entries())
      for (const [b, second] of ratings.slice(index + 1)) {
        const key = JSON.stringify([a, b])
        const pair = pairs.get(key) ?? { a, b, values: [] }
        pairs.set(key, pair)
        pair.values.push([first, second])
      }
  }
  return [...pairs.values()]
    .sort((x, y) => (x.a === y.a ? (x.b < y.b ? -1 : 1) : x.a < y.a ? -1 : 1))
    .map(({ a, b, values }) => ({
      a,
      b,
      items: values.length,
      raw: observedAgreement(values),
      kappa: cohensKappa(values) ?? null,
    }))
}

function labelsOf(units: readonly (readonly string[])[]): AgreementReport["labels"] {
  const labels = [...new Set(units.flat().flatMap(namesIn))].sort()
  return labels
    .map((label) => {
      const binary = units.map((unit) => unit.map((value) => (namesIn(value).includes(label) ? "yes" : "no")))
      const given = binary.filter((unit) => unit.includes("yes"))
      return { label, items: given.length, raw: observedAgreement(given), alpha: figure(binary, nominal) }
    })
    .sort((a, b) => (a.alpha?.value ?? 1) - (b.alpha?.value ?? 1) || (a.label < b.label ? -1 : 1))
}

function confusionsOf(units: readonly (readonly string[])[]): AgreementReport["confusions"] {
  const counts = new Map<string, number>()
  for (const unit of units) {
    const values = [...new Set(unit)].sort()
    for (const [index, a] of values.entries())
      for (const b of values.slice(index + 1))
        counts.set(JSON.stringify([a, b]), (counts.get(JSON.stringify([a, b])) ?? 0) + 1)
  }
  return [...counts]
    .sort(([a, first], [b, second]) => second - first || (a < b ? -1 : 1))
    .slice(0, 10)
    .map(([key, items]) => {
      const [a, b] = (JSON.parse(key) as [string, string]).map((value) => namesIn(value).join("+")) as [string, string]
      return { a, b, items }
    })
}

/** The labels in a value: of a set each, of another output the output itself, in words. */
function namesIn(value: string): string[] {
  if (value.startsWith("[")) return (JSON.parse(value) as unknown[]).map(String)
  return [value.startsWith('"') ? String(JSON.parse(value)) : value]
}

function withoutReviewer(items: readonly RatedItem[], name: string): string[][] {
  return items.map((item) => [...item].flatMap(([reviewer, value]) => (reviewer === name ? [] : [value])))
}
