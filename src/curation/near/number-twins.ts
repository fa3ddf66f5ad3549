import { foldForComparison } from "../text/normalise.ts"
import { hasDigit } from "../text/word-hashes.ts"
import { sampleOf } from "./boilerplate.ts"

/** How many of so many texts are like another one but for their numbers. */
export interface NumberTwins {
  readonly of: number
  /** Like another one of them. */
  readonly twins: number
  /** Like one of the others. */
  readonly likeOthers: number
}

// Of more texts a sample says it.
const mostTexts = 5000

/** Counts texts that are equal to another but for numbers and identifiers; `others` are those that are held out. */
export function numberTwins(texts: readonly string[], others: readonly string[] = []): NumberTwins {
  const sample = sampleOf(texts, mostTexts)
  const [known, held] = [formsOf(sample), formsOf(sampleOf(others, mostTexts))]
  const counts = { of: sample.length, twins: 0, likeOthers: 0 }
  for (const text of sample) {
    const { form, numbers } = numberForm(text)
    if (numbers === "") continue
    const isTwinOf = (all: ReadonlySet<string> | undefined) => all !== undefined && (all.size > 1 || !all.has(numbers))
    if (isTwinOf(known.get(form))) counts.twins += 1
    if (isTwinOf(held.get(form))) counts.likeOthers += 1
  }
  return counts
}

/** By the text without its numbers: which numbers it comes with. */
function formsOf(texts: readonly string[]): Map<string, Set<string>> {
  const forms = new Map<string, Set<string>>()
  for (const text of texts) {
    const { form, numbers } = numberForm(text)
    if (numbers === "") continue
    const known = forms.get(form)
    if (known === undefined) forms.set(form, new Set([numbers]))
    else known.add(numbers)
  }
  return forms
}

function numberForm(text: string): { readonly form: string; readonly numbers: string } {
  if (!/\p{Nd}/u.test(text)) return { form: text, numbers: "" }
  const tokens = foldForComparison(text).split(" ")
  return {
    form: tokens.map((token) => (hasDigit(token) ? "0" : token)).join(" "),
    numbers: tokens.filter(hasDigit).join(" "),
  }
}
