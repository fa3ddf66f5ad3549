/**
 * About how many tokens a text has, by the rule of thumb of 4 bytes a token; for plans and budgets, never for a bill.
 */
export function estimatedTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text, "utf8") / 4)
}
