import { z } from "zod"
import type { JobSnapshot } from "../../core/contracts/backend.ts"

/** What the trainer writes last of all (`exit.json`). */
export const exitSchema = z.object({
  status: z.enum(["succeeded", "failed", "cancelled"]),
  submissionKey: z.string().nullable(),
  at: z.string().optional(),
  message: z.string().nullish(),
  hint: z.string().nullish(),
  adapterDigest: z.string().optional(),
})
export type WorkExit = z.output<typeof exitSchema>
/** Whosever end it is. */
export type WorkEnd = Omit<WorkExit, "submissionKey">

/** The end as a snapshot has it. */
export function endOf({
  status,
  message,
  hint,
  at,
}: WorkEnd): Pick<JobSnapshot, "state" | "message" | "hint" | "since"> {
  return { state: status, message: message ?? undefined, hint: hint ?? undefined, since: at }
}
