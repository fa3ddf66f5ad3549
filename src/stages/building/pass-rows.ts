import type { FlaggedRow } from "../../core/rows/example.ts"
import type { ConfiguredFilter } from "../../core/contracts/filter.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { Curation } from "../../curation/version/curation.ts"
import type { Protection } from "../../curation/version/personal-data-policy.ts"
import type { PartedSpill } from "../../store/files/parted-spill.ts"
import type { TaskRows } from "../../store/rows/task-rows.ts"
import type { StageContext } from "../context.ts"
import { fates, type ReviewStart } from "../standing/fates.ts"
import type { CostMeter } from "./build-costs.ts"
import type { BuildThreads, ThreadEnd } from "./build-threads.ts"
import type { HeldOutRows } from "./held-out-rows.ts"
import { RowPass, type PassPart } from "./row-pass.ts"

/** What rows are passed with. */
export interface PassParts {
  readonly filters: readonly ConfiguredFilter[]
  readonly rows: TaskRows
  readonly start: ReviewStart
  readonly heldOut: HeldOutRows
  readonly spill: PartedSpill
  readonly meter: CostMeter
  readonly buildThreads: BuildThreads
}

/** Takes every row through the pass: seeds by the threads, if there are any, all else here. */
export async function passRows(context: StageContext, task: TaskSpecification, parts: PassParts, curation: Curation) {
  const { filters, rows, start, heldOut, spill, meter, buildThreads } = parts
  const { options } = curation
  const flagged: FlaggedRow[] = []
  let [read, open] = [0, heldOut.open]
  const take = (part: PassPart) => {
    read += part.read
    open += part.open
    flagged.push(...part.flagged)
    curation.add(part.batch)
  }
  const pass = new RowPass(task, filters, meter, curation.intake)
  const ends: ThreadEnd[] = []
  if (buildThreads.count > 0) {
    const held = new Set(heldOut.held.keys())
    const decisions = [...start.decisions].filter(([item]) => !/^(cand|input)_/.test(item))
    ends.push(
      ...(await buildThreads.passSeeds(
        context,
        rows,
        { root: context.workspace.root, options, held, decisions, spill: spill.share() },
        take,
      )),
    )
  }
  const seeds = ends.length > 0 ? { seeds: [] } : {}
  for (const fate of fates(rows, start, { heldOf: () => "train", isWanted: (id) => !heldOut.held.has(id), ...seeds })) {
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
