import type { ConfiguredFilter } from "../../core/contracts/filter.ts"
import type { FlaggedRow } from "../../core/rows/example.ts"
import type { Curation } from "../../curation/version/curation.ts"
import type { PrivacyReport, Protection } from "../../curation/version/personal-data-policy.ts"
import type { StageContext } from "../context.ts"
import { fates, type ReviewStart } from "../standing/fates.ts"
import type { CostMeter } from "./build-costs.ts"
import type { BuildHands, BuildMaterial } from "./build-hands.ts"
import type { HeldOutRows } from "./held-out-rows.ts"
import { RowPass, type PassPart } from "./row-pass.ts"

/** What rows are passed with. */
export interface PassParts {
  readonly filters: readonly ConfiguredFilter[]
  readonly start: ReviewStart
  readonly heldOut: HeldOutRows
  readonly meter: CostMeter
  readonly material: BuildMaterial
  readonly hands: BuildHands
}

export interface PassedRows {
  readonly read: number
  readonly open: number
  readonly flagged: readonly FlaggedRow[]
  readonly proposals: RowPass["proposals"]
  /** What was done about personal data in the rows, and before in what is held out. */
  readonly privacy: (heldOut: Protection) => PrivacyReport
}

/** Takes every row through the pass: seeds by whoever has hands for them, all else here. */
export async function passRows(context: StageContext, parts: PassParts, curation: Curation): Promise<PassedRows> {
  const { filters, start, heldOut, meter, material, hands } = parts
  const { task, rows, spill } = material
  const flagged: FlaggedRow[] = []
  let [read, open] = [0, heldOut.open]
  const take = (part: PassPart) => {
    read += part.read
    open += part.open
    flagged.push(...part.flagged)
    curation.add(part.batch)
  }
  const pass = new RowPass(task, filters, meter, curation.intake)
  const held = new Set(heldOut.held.keys())
  const { root } = context.workspace
  const { signal } = context
  const { decisions } = start
  const { left, ends } = await hands.passSeeds({ root, options: curation.options, held, decisions, signal }, take)
  const seeds = left === undefined ? {} : { seeds: left }
  for (const fate of fates(rows, start, { heldOf: () => "train", isWanted: (id) => !held.has(id), ...seeds })) {
    pass.take(fate)
    if (pass.bytes >= mostPartBytes) take(pass.part())
  }
  take(pass.part())
  for (const { samples, checks, extents } of ends) {
    spill.adopt(extents)
    curation.addSamples(samples)
    meter.addThread(checks, ends.length)
  }
  const privacy = (first: Protection) => {
    for (const report of [pass.protection.report(), ...ends.map((end) => end.privacy)]) first.add(report)
    return first.report()
  }
  return { read, open, flagged, proposals: pass.proposals, privacy }
}

const mostPartBytes = 1 << 21
