import { GateError } from "../../core/errors.ts"
import type { DroppedExample } from "../../core/rows/example.ts"
import type { DatasetManifest } from "../../core/rows/manifests.ts"
import { inputText } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { FoundLeak } from "../../curation/leaks/definition.ts"
import { digits } from "../../curation/leaks/lineage.ts"
import { descents, type ParentedRow } from "../../curation/leaks/witness-lineage.ts"
import { WitnessText } from "../../curation/leaks/witness-texts.ts"
import { sequencePrint } from "../../curation/leaks/witness-windows.ts"
import type { Versions } from "../../store/rows/versions.ts"
import { isIdSound } from "../building/version-manifest.ts"

/**
 * The id of a version stands for its recipe and its bytes, which a witness found clean when it was frozen. A GateError
 * where the manifest says other bytes than the id: nobody has witnessed those.
 */
export function requireUnaltered(manifest: DatasetManifest): void {
  if (!isIdSound(manifest))
    throw new GateError(
      `${manifest.id} was altered after it was built: its id does not stand for the files that its manifest names`,
      `Restore its folder, or build it again: tuneloop build ${manifest.task}`,
    )
}

/**
 * The checks that need nothing but the files of the version and its holdout are made once more, on the bytes as they
 * are: a GateError where a train row is held out, descends from a row that is, is of its group, or has its text.
 */
export function requireNoLeak(task: TaskSpecification, versions: Versions, manifest: DatasetManifest): void {
  const found = leaksIn(task, versions, manifest)
  const [first] = found
  if (first !== undefined)
    throw new GateError(
      `${manifest.id} has ${found.length} leaks and cannot be trained on: ` +
        `${first.train} meets ${first.heldOut}, which is held out (${first.check})`,
      `Build a clean version: tuneloop build ${manifest.task}`,
    )
}

function leaksIn(task: TaskSpecification, versions: Versions, { id, holdout }: DatasetManifest): FoundLeak[] {
  const reader = new WitnessText()
  const printOf = (text: string) => {
    reader.read(text)
    return sequencePrint(reader.words.hashes, reader.words.count)
  }
  const idOfDigits = new Map<string, string>()
  const idOfPrint = new Map<number, string>()
  const idOfGroup = new Map<string, string>()
  for (const file of ["validation.jsonl", "test.jsonl"] as const)
    for (const row of versions.each(holdout, file)) {
      idOfDigits.set(digits(row.id), row.id)
      idOfPrint.set(printOf(inputText(task, row.input)), row.id)
      if (row.provenance.group !== undefined) idOfGroup.set(row.provenance.group, row.id)
    }
  const found: FoundLeak[] = []
  const parented: ParentedRow[] = []
  for (const { id: train, input, provenance } of versions.each(id, "train.jsonl")) {
    const itself = idOfDigits.get(digits(train))
    if (itself !== undefined) found.push({ check: "lineage", train, heldOut: itself })
    if (provenance.parents.length > 0) parented.push([train, provenance.parents])
    const together = provenance.group === undefined ? undefined : idOfGroup.get(provenance.group)
    if (together !== undefined) found.push({ check: "group", train, heldOut: together })
    const equal = idOfPrint.get(printOf(inputText(task, input)))
    if (equal !== undefined) found.push({ check: "exact", train, heldOut: equal })
  }
  const dropped = parented.length === 0 ? [] : parentedRows(versions.each(id, "dropped.jsonl"))
  return [...descents(parented, dropped, idOfDigits), ...found]
}

function parentedRows(rows: Iterable<DroppedExample>): ParentedRow[] {
  return Array.from(rows).flatMap(({ id, provenance }): ParentedRow[] =>
    provenance.parents.length > 0 ? [[id, provenance.parents]] : [],
  )
}
