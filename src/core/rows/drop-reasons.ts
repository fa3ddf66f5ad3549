/** Why a row is not in a version. */
export const dropReasons = [
  "invalid-output",
  "invalid-input",
  "too-long",
  "empty",
  "rejected",
  "undecided",
  "failed-check",
  "personal-data",
  "exact-duplicate",
  "near-duplicate",
  "conflict",
  "lineage",
  "leak-group",
  "leak-exact",
  "leak-near",
  "leak-ngram",
  "leak-embedding",
  "semantic-duplicate",
] as const
/** `filter-<name>`: by that quality filter. */
export type DropReason = (typeof dropReasons)[number] | `filter-${string}`
