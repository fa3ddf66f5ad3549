import { Option } from "commander"
import { checkpointChoices } from "../core/training/checkpoints.ts"

/** Of a command that takes a run's model: which checkpoint is meant. */
export function checkpointOption(): Option {
  return new Option("--checkpoint <which>", "another checkpoint than that of the job").choices([...checkpointChoices])
}
