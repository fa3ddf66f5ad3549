import { parseJson } from "../json-text.ts"

/** What a model said, and what it thought aloud before it. */
export interface Said {
  readonly text: string
  /** Absent where it did not think aloud. */
  readonly thought?: string
}

/**
 * The text of an answer without the thoughts in it, which are kept beside: `<think>`, `<thinking>`, `<reasoning>` and
 * their like, `[THINK]`, gpt-oss's channels; also where the answer was cut off before the thought ended, or where the
 * chat template wrote its beginning. A text that is JSON as it stands has none, and a tag in the middle of a line is a
 * word like any other.
 */
export function withoutThoughts(text: string): Said {
  if (!mayThink.test(text) || isJson(text)) return { text }
  const channelled = inChannels(text)
  if (channelled !== undefined) return channelled
  const thoughts: string[] = []
  let said = text
  for (let found = thoughtIn(said); found !== undefined; found = thoughtIn(said)) {
    thoughts.push(found.thought.trim())
    said = found.text.trim()
  }
  return thoughts.length === 0 ? { text } : { text: unwrapped(said), thought: thoughts.join("\n\n") }
}

/** The first thought of the text, and the text without it. */
function thoughtIn(text: string): { readonly text: string; readonly thought: string } | undefined {
  const opening = openingTag.exec(text)
  if (opening !== null) {
    const inside = text.slice(opening.index + opening[0].length)
    const closing = closingTag.exec(inside)
    // Cut off while it thought: nothing was said after.
    if (closing === null) return { text: text.slice(0, opening.index), thought: inside }
    const after = inside.slice(closing.index + closing[0].length)
    return { text: text.slice(0, opening.index) + after, thought: inside.slice(0, closing.index) }
  }
  // What is left may speak of a tag in a text of its own.
  const closing = isJson(text) ? null : closingTag.exec(text)
  if (closing === null) return undefined
  const before = text.slice(0, closing.index)
  const after = text.slice(closing.index + closing[0].length)
  const inLine = anyOpeningTag.exec(before)
  if (inLine === null) return { text: after, thought: before }
  const thought = before.slice(inLine.index + inLine[0].length)
  return thought.includes("\n") ? { text: before.slice(0, inLine.index) + after, thought } : undefined
}

/** What gpt-oss writes where its server does not part the channels, with or without their marks. */
function inChannels(text: string): Said | undefined {
  const marked = /<\|channel\|>\s*final[^<]*<\|message\|>/.exec(text)
  const bare = marked ?? /^analysis(?=\s*[A-Z])[\s\S]*?assistant\s*final/.exec(text)
  if (bare !== null) {
    const said = text.slice(bare.index + bare[0].length).replace(/<\|(?:return|end|call)\|>[\s\S]*$/, "")
    return { text: said.trim(), thought: text.slice(0, bare.index + (marked === null ? bare[0].length : 0)).trim() }
  }
  return /<\|channel\|>\s*(?:analysis|commentary)/.test(text) ? { text: "", thought: text.trim() } : undefined
}

/** Models that put their thought into a tag often put the answer into another. */
function unwrapped(text: string): string {
  return /^<answer>([\s\S]*)<\/answer>$/i.exec(text)?.[1]?.trim() ?? text
}

function isJson(text: string): boolean {
  return /^\s*[{["]/.test(text) && parseJson(text) !== undefined
}

const names = "think|thinking|thoughts?|reasoning|reflection|scratchpad|seed:think"
const anyOpeningTag = new RegExp(`<(?:${names})>|\\[THINK\\]|◁think▷`, "i")
const openingTag = new RegExp(`(?:^|(?<=\\n))[ \\t\\r]*(?:${anyOpeningTag.source})`, "i")
const closingTag = new RegExp(`</(?:${names})>|\\[/THINK\\]|◁/think▷`, "i")
const mayThink = new RegExp(`${anyOpeningTag.source}|${closingTag.source}|<\\|channel\\|>|^analysis`, "i")
