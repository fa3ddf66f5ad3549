/**
 * What becomes of texts that differ in their numbers: with `keep` they are never near-duplicates, with `drop` all
 * numbers are one.
 */
export const numberRules = ["keep", "drop"] as const
export type NumberRule = (typeof numberRules)[number]
