import type { PlannedPrompt } from "../../core/contracts/strategy.ts"
import type { AskedPrompt } from "./asked-prompt.ts"

/** So much of an answer that could not be read is shown again, in characters. */
const shownCharacters = 4000

/**
 * Asks for the same once more, with the answer that could not be read and why; a request like any other, by its
 * content.
 */
export function repairPrompt({ prompt, text }: Pick<AskedPrompt, "prompt" | "text">, problem: string): PlannedPrompt {
  const shown = text.slice(0, shownCharacters).toWellFormed().trim()
  return {
    ...prompt,
    messages: [
      ...prompt.messages,
      // Some servers refuse an empty turn.
      ...(shown === "" ? [] : [{ role: "assistant" as const, content: shown }]),
      {
        role: "user",
        content: `That could not be read: ${problem}. Answer again, in the form that was asked for, and write nothing else.`,
      },
    ],
  }
}
