import type { Scenario } from "./scenario.ts"
import { asking, batch } from "./scenario-asking.ts"
import { fixture } from "./scenario-fixture.ts"
import { machine } from "./scenario-help.ts"
import { quick, sample } from "./scenario-sample.ts"
import { banking, cases } from "./scenario-shared.ts"

/** All that is recorded; what takes longest comes first. */
export const scenarios: readonly Scenario[] = [sample, banking, asking, batch, fixture, ...cases, machine, quick]
