import { existsSync, rmSync } from "node:fs"
import { join } from "node:path"
import { splitPairCountsSchema, type SplitPair, type SplitPairCounts } from "../../core/rows/split-pairs.ts"
import { jsonPieces, writePieces } from "../files/atomic-writer.ts"
import { writeAtomically } from "../files/files.ts"
import { readJsonFile } from "../files/json-file.ts"

/**
 * The pairs between the splits of a data set as it was given, beside the rows of its task: a report, made anew whenever
 * the data set is taken in, and none of the task's rows.
 */
export class SplitPairs {
  readonly folder: string

  constructor(taskFolder: string) {
    this.folder = join(taskFolder, "split-pairs")
  }

  get sameOutputFile(): string {
    return join(this.folder, "same-output.jsonl")
  }
  get otherOutputFile(): string {
    return join(this.folder, "other-output.jsonl")
  }
  private get countsFile(): string {
    return join(this.folder, "counts.json")
  }

  write(counts: SplitPairCounts, pairs: { readonly same: readonly SplitPair[]; readonly other: readonly SplitPair[] }) {
    this.remove()
    writePieces(this.sameOutputFile, jsonPieces(pairs.same))
    writePieces(this.otherOutputFile, jsonPieces(pairs.other))
    writeAtomically(this.countsFile, `${JSON.stringify(counts, null, 2)}\n`)
  }

  /** Undefined where no data set was taken in, or its report was removed. */
  counts(): SplitPairCounts | undefined {
    return existsSync(this.countsFile) ? readJsonFile(this.countsFile, splitPairCountsSchema) : undefined
  }

  /** Their texts are nowhere but in the rows any more. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
