import { z } from "zod"
import { finding, firstMatches, severityOption, type Filter } from "../core/contracts/filter.ts"

const options = z.strictObject({ severity: severityOption("drop") })

const fillerText = [{ code: "filler-text", pattern: /\blorem ipsum\b/i }]
const patterns = [
  { code: "template-slot", pattern: /\{\{\s*[\p{L}_][\p{L}\p{N}_. -]{0,40}\s*\}\}/u },
  { code: "template-slot", pattern: /\{%\s*(?:if|for|end|set|else)[^%\n]{0,60}%\}/ },
  { code: "template-slot", pattern: /<%=?[^%\n]{1,60}%>/ },
  // At least two words, so that [NAME] and [EMAIL_1], which stand for what was taken out, are none.
  {
    code: "placeholder",
    pattern:
      /\[(?:your|my|insert|enter|add|customer(?:['’]s)?|client(?:['’]s)?|recipient(?:['’]s)?|sender(?:['’]s)?|agent(?:['’]s)?|company|product|order|full|first|last|contact|phone|date of|name of|ihr|ihre|votre|tu|su|seu|uw|il tuo)[ _-][\p{L}' /_-]{2,40}\]/iu,
  },
  { code: "placeholder", pattern: /<(?:your|insert|enter)[ _-][\p{L} _-]{2,40}>/iu },
  ...fillerText,
]
const slotNames = [
  "input",
  "output",
  "text",
  "question",
  "answer",
  "context",
  "label",
  "labels",
  "definitions",
  "guideline",
  "name",
  "user",
  "topic",
]

/** Slots of a template that nobody filled, and words that stand for text to come. */
const filter: Filter<z.output<typeof options>> = {
  summary: "template leftovers: `{{name}}`, `{input}`, `[Your Name]`, lorem ipsum",
  codes: {
    "template-slot": "a slot that was not filled",
    placeholder: "a note of what to write, instead of it",
    "filler-text": "lorem ipsum",
  },
  options,
  find(text, { task }) {
    if (!/[{<[]/.test(text)) return firstMatches(text, fillerText)
    const found = firstMatches(text, patterns)
    if (found.some(({ code }) => code === "template-slot")) return found
    // Single braces are common in code: only the names that prompts use.
    const names = new Set([...slotNames, ...(task.kind === "chat" ? [] : Object.keys(task.input))])
    for (const { 0: slot, 1: name } of text.matchAll(/(?<![\\\w${}])\{([A-Za-z][A-Za-z0-9_]{0,40})\}(?!\})/g))
      if (names.has(name as string)) return [finding("template-slot", slot), ...found]
    return found
  },
}
export default filter
