import type { RenderedPreference } from "../../core/contracts/format.ts"
import { renderPreference } from "../../core/contracts/preference-rows.ts"
import { canonicalJson } from "../../core/canonical.ts"
import { GateError } from "../../core/errors.ts"
import type { DatasetManifest } from "../../core/rows/manifests.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { digits } from "../../curation/leaks/lineage.ts"
import type { Versions } from "../../store/rows/versions.ts"

/**
 * The version's preferences as they are rendered; each is about a train row of the version, so that what was checked
 * for leaks there holds for it. A GateError where one is not. Preferences are read whole, train rows one by one.
 */
export function renderedPreferences(
  task: TaskSpecification,
  versions: Versions,
  { id, task: name }: DatasetManifest,
): RenderedPreference[] {
  const preferences = versions.preferences(id)
  if (preferences.length === 0) return []
  const wanted = new Set(preferences.map((preference) => digits(preference.id)))
  const inputs = new Map<string, string>()
  for (const row of versions.each(id, "train.jsonl"))
    if (wanted.has(digits(row.id))) inputs.set(digits(row.id), canonicalJson(row.input))
  const strays = preferences.filter((about) => inputs.get(digits(about.id)) !== canonicalJson(about.input))
  if (strays.length > 0) {
    const named = strays.slice(0, namedPreferences).map((preference) => preference.id)
    throw new GateError(
      `${strays.length} of ${preferences.length} preferences of ${id} are not about its train rows: ` +
        named.join(", "),
      `Nobody has checked them for leaks. Build the version again: tuneloop build ${name}`,
    )
  }
  return preferences.map((preference) => renderPreference(task, preference))
}

const namedPreferences = 5

/** Throws a GateError where there is nothing to prefer. */
export function requirePreferences(
  preferences: readonly RenderedPreference[],
  { id, task }: DatasetManifest,
): readonly RenderedPreference[] {
  if (preferences.length > 0) return preferences
  throw new GateError(
    `${id} has no preferences, and the objective dpo trains on nothing else: no kept example was corrected in a review`,
    `${howPreferencesAreMade(task)}, or set objective: sft in the job.`,
  )
}

/** The next step where there are too few. */
export function howPreferencesAreMade(task: string): string {
  return `Correct grown examples by edits (tuneloop review serve ${task}), then: tuneloop build ${task}`
}
