import { z } from "zod"
import { finding, severityOption, type Filter } from "../core/contracts/filter.ts"

const options = z.strictObject({
  severity: severityOption("drop"),
  fewest: z.int().min(0).default(0).describe("The fewest words a text may have"),
  most: z
    .int()
    .positive()
    .optional()
    .describe("The most words a text may have. Default: any number; build.maxLength limits the characters of a row"),
})

/**
 * Texts without a word, or with fewer or more words than wished. In writing without spaces every character of a word
 * counts (UAX 29 as the runtime has it would need a dictionary). Self-Instruct (Wang et al. 2023) keeps instructions of
 * 3 to 150 words.
 */
const filter: Filter<z.output<typeof options>> = {
  summary: "texts without words, or with too few or too many",
  codes: {
    "no-words": "neither a letter nor a digit nor a symbol",
    "too-few-words": "fewer than `fewest`",
    "too-many-words": "more than `most`",
  },
  options,
  find(text, _where, { fewest, most }) {
    if (text.trim() === "") return []
    if (!/[\p{L}\p{N}\p{S}]/u.test(text)) return [finding("no-words", text)]
    if (fewest === 0 && most === undefined) return []
    const words = countWords(text)
    if (words < fewest) return [{ code: "too-few-words", detail: `${words} words; at least ${fewest}` }]
    return most !== undefined && words > most
      ? [{ code: "too-many-words", detail: `${words} words; at most ${most}` }]
      : []
  },
}
export default filter

function countWords(text: string): number {
  return (
    text.match(
      /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}][\p{L}\p{N}\p{M}'’-]*/gu,
    ) ?? []
  ).length
}
