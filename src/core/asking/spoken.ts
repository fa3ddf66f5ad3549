import type { ModelAnswer } from "../contracts/model.ts"
import type { ProviderError } from "../errors.ts"
import { withoutThoughts } from "./thoughts.ts"

/** The answer with its thoughts beside its text, whether the server parted them or not. */
export function spoken(answer: ModelAnswer): ModelAnswer {
  const { text, thought } = withoutThoughts(answer.text)
  if (thought === undefined) return answer
  return { ...answer, text, thought: answer.thought === undefined ? thought : `${answer.thought}\n\n${thought}` }
}

/** What kept a model from saying anything. */
export interface Silence {
  /** In a word or two, for counting. */
  readonly kind: "refused" | "held back by a filter" | "cut off" | "unreadable" | "thought only" | "empty"
  /** In a sentence, with what the model or its server said of it. */
  readonly reason: string
}

/** OpenAI's and Azure's word for an answer that rules on content forbid, as a reason to end and as an error's code. */
export const contentFilter = "content_filter"

/** Why nobody reads an answer that is there. */
export type Unread = NonNullable<ProviderError["unread"]>

/** Our own words for how such an answer ended: its server's are not read. */
const unreadFinish: Readonly<Record<Unread, string>> = {
  "too long": "unread-too-long",
  "nested too deep": "unread-too-deep",
}

/** Why a spoken answer has no text; undefined where it has one. */
export function silenceOf({ text, thought, refusal, finish }: ModelAnswer): Silence | undefined {
  if (text.trim() !== "") return undefined
  const said = refusal ? `: ${excerpt(refusal)}` : ""
  if (finish === contentFilter)
    return { kind: "held back by a filter", reason: `the server's rules on content held the answer back${said}` }
  const unread = (Object.keys(unreadFinish) as Unread[]).find((why) => unreadFinish[why] === finish)
  if (unread !== undefined) return { kind: "unreadable", reason: `the answer is ${unread} to be read` }
  if (refusal) return { kind: "refused", reason: `the model refused${said}` }
  if (finish === "length") {
    const when = thought ? "while the model still thought" : "before its first word"
    return { kind: "cut off", reason: `the answer was cut off ${when}` }
  }
  if (thought) return { kind: "thought only", reason: "the answer is a thought and nothing after it" }
  return { kind: "empty", reason: "the answer is empty" }
}

/** Whether the question may bring a text when it is put once more: a refusal, a rule and a limit stay what they are. */
export function isWorthRepeating({ kind }: Silence): boolean {
  return kind === "empty" || kind === "thought only"
}

/**
 * The answer to a question that a server's rules on content kept from the model. What it cost is not told: it stays at
 * its worst case.
 */
export function heldBack(message: string): ModelAnswer {
  const answer = { text: "", inputTokens: null, outputTokens: null, finish: contentFilter }
  return message === "" ? answer : { ...answer, refusal: message }
}

/** An answer that was paid for and is not read. What it cost is not known: it stays at its worst case. */
export function unreadAnswer(why: Unread): ModelAnswer {
  return { text: "", inputTokens: null, outputTokens: null, finish: unreadFinish[why] }
}

function excerpt(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, " ").trim()
  return line.length > 200 ? `${line.slice(0, 199)}…` : line
}
