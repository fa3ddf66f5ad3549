import { rowLines } from "../../curation/rows/row-lines.ts"
import { OwnCuration } from "../../curation/version/own-curation.ts"
import { writeDigested } from "../../store/files/staged-file.ts"
import type { BuildCrew, BuildHands, BuildMaterial } from "./build-hands.ts"
import { witnessLines } from "./witness-lines.ts"

/** This process alone. */
export const ownCrew: BuildCrew = { handsOn: ownHands, stop: () => Promise.resolve() }

function ownHands({ task, table, spill }: BuildMaterial): BuildHands {
  const own = new OwnCuration(task, table)
  return {
    passSeeds: async () => ({ left: undefined, ends: [] }),
    join: (rows) => async (bands) => own.join(rows, bands),
    judge: async (rows, plan) => own.judge(rows, plan),
    resketch: async (rows, plan) => own.resketch(rows, plan),
    compare: async (groups, plan) => own.compare(groups, plan),
    write: async ({ path, rows, whys }) => writeDigested(path, rowLines(table.records, spill, rows, whys)),
    witness: async (share) => [witnessLines(share)],
  }
}
