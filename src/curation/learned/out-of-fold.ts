import { clusters } from "../holdout/near-duplicates.ts"
import { textFeatures } from "../text/text-features.ts"
import { stratifiedFolds } from "./folds.ts"
import { inDigestOrder } from "./linear-model.ts"
import { learn, probabilitiesOf } from "./softmax-regression.ts"

/** A row whose label is looked at. */
export interface LabelledRow {
  readonly id: string
  readonly text: string
  readonly label: string
  /** Whether a model may learn from it; false for what is held out. */
  readonly isTrain: boolean
  /** The group that it belongs to, where rows of one say much the same. */
  readonly group?: string | undefined
}

/** A row, the number of its label, and the probability of each label by a model that has seen no near one. */
export interface Scored {
  readonly row: LabelledRow
  readonly number: number
  readonly probabilities: Float64Array
}

export interface OutOfFold {
  /** Those that train has enough of; their places are their numbers. */
  readonly labels: readonly string[]
  /**
   * Every row of those labels, judged by the linear model after so many passes over the train rows of the other folds,
   * except those with the given ids. A row whose label is not among what its model learnt from is missing.
   */
  score(passes: number, except: ReadonlySet<string>): Scored[]
}

/**
 * Judges rows by models that learnt neither from them, nor from near-duplicates of them, nor from rows of their group,
 * and from train rows alone. The order of the rows does not matter.
 */
export function outOfFold(rows: readonly LabelledRow[], threshold: number | undefined): OutOfFold {
  const { labels, known } = ofKnownLabels(withFamilies(rows, threshold))
  const numbers = new Map(labels.map((label, number) => [label, number]))
  const foldOf = familyFolds(known)
  const features = textFeatures(known.filter(({ isTrain }) => isTrain).map(({ text }) => text))
  const examples = known.map((row) => ({
    row,
    label: numbers.get(row.label) as number,
    fold: foldOf.get(row.family) as number,
    vector: features.vectorOf(row.text),
  }))
  return {
    labels,
    score: (passes, except) =>
      Array.from({ length: folds }, (_, fold) => {
        const learnt = examples.filter(({ row, fold: own }) => row.isTrain && own !== fold && !except.has(row.id))
        const seen = new Set(learnt.map(({ label }) => label))
        const weights = learn(learnt, labels.length, features.size, passes)
        return examples
          .filter((example) => example.fold === fold && seen.has(example.label))
          .map(({ row, label, vector }) => ({ row, number: label, probabilities: probabilitiesOf(weights, vector) }))
      }).flat(),
  }
}

const folds = 5
// With one or two families of a label, one fold's model knows next to nothing of it and would suspect all its rows.
const fewestFamilies = 3

type FamilyRow = LabelledRow & { readonly family: string }

/** The labels of which train has enough families, and their rows. */
function ofKnownLabels(rows: readonly FamilyRow[]): { labels: readonly string[]; known: readonly FamilyRow[] } {
  const trainFamilies = Map.groupBy(
    rows.filter(({ isTrain }) => isTrain),
    ({ label }) => label,
  )
  const labels = [...trainFamilies]
    .filter(([, members]) => new Set(members.map(({ family }) => family)).size >= fewestFamilies)
    .map(([label]) => label)
    .sort()
  const isKnown = new Set(labels)
  return { labels, known: rows.filter(({ label }) => isKnown.has(label)) }
}

function withFamilies(rows: readonly LabelledRow[], threshold: number | undefined): FamilyRow[] {
  const firsts = new Map<string, string>()
  const firstOf = (id: string): string => {
    const before = firsts.get(id)
    if (before === undefined) return id
    const first = firstOf(before)
    firsts.set(id, first)
    return first
  }
  const join = (members: readonly string[]) => {
    const [first, ...others] = [...new Set(members.map(firstOf))].sort()
    for (const other of others) firsts.set(other, first as string)
  }
  for (const members of clusters(rows, threshold)) join(members)
  for (const [group, members] of Map.groupBy(rows, (row) => row.group))
    if (group !== undefined) join(members.map(({ id }) => id))
  // Equal rows are in one family and fold: their order among themselves decides nothing.
  return inDigestOrder(rows.map((row) => ({ ...row, family: firstOf(row.id) })))
}

/**
 * The fold of each family: by the train rows alone, so that no held-out label has a say in what a model learns;
 * families that are wholly held out are spread over the models afterwards.
 */
function familyFolds(rows: readonly FamilyRow[]): ReadonlyMap<string, number> {
  const familyOf = new Map(rows.map(({ id, family }) => [id, family]))
  const spread = (some: readonly FamilyRow[]) =>
    [
      ...stratifiedFolds(
        some.map(({ id, family, label }) => ({ id, family, stratum: label })),
        folds,
      ),
    ].map(([id, fold]) => [familyOf.get(id) as string, fold] as const)
  const ofTrain = new Map(spread(rows.filter(({ isTrain }) => isTrain)))
  return new Map([...ofTrain, ...spread(rows.filter(({ family }) => !ofTrain.has(family)))])
}
