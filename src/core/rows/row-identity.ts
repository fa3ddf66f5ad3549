import { contentId, digest } from "../canonical.ts"
import type { Input, Output } from "./example.ts"

/**
 * The id of the question whether the output of a row is right. It follows from the row as it stands in its file: a row
 * that is edited there is asked about anew, one that was decided never comes back.
 */
export function checkId(row: string, input: Input, output: Output): string {
  return contentId("check", { row, input, output })
}

/** The digest of what a reviewer of a candidate or an input sees and decides on. */
export function revisionOf(input: unknown, output: unknown): string {
  return digest({ input, output: output ?? null })
}

/** The id of the question about two rows with different outputs, by the questions about each. */
export function conflictId(a: string, b: string): string {
  return contentId("conflict", [a, b].sort())
}
