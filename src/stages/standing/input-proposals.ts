import type { Candidate } from "../../core/rows/example.ts"
import { passes } from "../../core/rows/candidates.ts"
import { isByPolicy, type Standing } from "./standing.ts"

/**
 * The outputs that are proposed for real inputs: an input is one example, whether a person answered it or took a
 * proposed output.
 */
export interface InputProposals<Row extends Proposal = Candidate> {
  /** Whether the input waits for a decision on a proposed output; then it is not asked about by itself as well. */
  hasOpen(input: string): boolean
  /** The input has its output, or is turned down: no proposal for it counts any more. */
  settle(input: string): void
  /** Whether the candidate proposes an output for an input that is settled. */
  isSettled(candidate: Proposal): boolean
  /** The candidates with those first that a person took, so that these settle their inputs. */
  inOrder(candidates: readonly Row[]): Row[]
}

export type Proposal = Pick<Candidate, "id" | "answers" | "checks">

/** The proposals among the candidates; `standing` is how a candidate stands after its decisions and the policies. */
export function inputProposals<Row extends Proposal>(
  candidates: readonly Row[],
  standing: (id: string) => Pick<Standing, "state"> & { readonly by?: string },
): InputProposals<Row> {
  const open = new Set(
    candidates.flatMap((candidate) =>
      candidate.answers !== undefined && passes(candidate) && standing(candidate.id).state !== "rejected"
        ? [candidate.answers]
        : [],
    ),
  )
  const settled = new Set<string>()
  return {
    hasOpen: (input) => open.has(input),
    settle: (input) => settled.add(input),
    isSettled: ({ answers }) => answers !== undefined && settled.has(answers),
    inOrder(all) {
      const isTaken = ({ id, answers }: Row) => {
        const stands = standing(id)
        return answers !== undefined && stands.state === "accepted" && !isByPolicy(stands.by ?? "")
      }
      return [...all.filter(isTaken), ...all.filter((candidate) => !isTaken(candidate))]
    },
  }
}
