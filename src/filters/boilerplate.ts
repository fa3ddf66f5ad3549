import { z } from "zod"
import { firstMatches, severityOption, type Filter } from "../core/contracts/filter.ts"

const options = z.strictObject({ severity: severityOption("flag") })

const patterns = [
  {
    code: "preamble",
    pattern:
      /^\W{0,3}(?:(?:sure|certainly|absolutely|of course|great)(?: thing)?[!,.:]{1,2} )?(?:here(?:['’]s| is| are)|below (?:is|are)) (?:a|an|the|your|my|some|\d+|one|two|three|five|ten)\b[^:\n]{0,80}:(?=\s)/i,
  },
  {
    code: "preamble",
    pattern: /^\W{0,3}(?:sure|certainly|absolutely|of course)! (?:here|i can|i['’]d be|let me|below)/i,
  },
  { code: "preamble", pattern: /^\W{0,3}(?:gerne|natürlich|selbstverständlich)[!,] hier (?:ist|sind)\b/iu },
  {
    code: "preamble",
    pattern:
      /^\W{0,3}(?:bien sûr|voici|claro|por supuesto|certamente|natuurlijk)[!,]? (?:voici|aquí|aqui|ecco|hier)\b/iu,
  },
  {
    code: "closing",
    pattern:
      /(?:i hope this helps|hope that helps|feel free to (?:ask|reach out|modify|adjust)|let me know if you(?:['’]d| would| want| need)[^.!?\n]{0,60}(?:changes|adjustments|examples|modif))[^\n]{0,120}\s*$/i,
  },
  {
    code: "web-page",
    pattern:
      /\ball rights reserved\b|\bwe use cookies\b|\baccept (?:all )?cookies\b|\bclick here to (?:unsubscribe|subscribe)\b/i,
  },
  { code: "web-page", pattern: /\b(?:this e-?mail (?:and any attachments )?(?:is|are) (?:confidential|intended))/i },
]

/**
 * Words around the text that belong to somebody else: a model's chatter before and after its answer, a page's footer,
 * an e-mail's disclaimer. Many a real text has them by right, so that this only flags unless the specification says
 * otherwise.
 */
const filter: Filter<z.output<typeof options>> = {
  summary: "boilerplate: “Sure! Here is …:”, “I hope this helps”, footers and disclaimers",
  codes: {
    preamble: "a model announces its answer",
    closing: "a model takes leave",
    "web-page": "a footer, a cookie notice or a mail disclaimer",
  },
  options,
  find: (text) => firstMatches(text, patterns),
}
export default filter
