import type { Candidate, Decision } from "../core/example.ts"
import { candidateItem, passes } from "./review-items.ts"
import { standingOf } from "./standing.ts"

/** The outputs that are proposed for real inputs: an input is one example, whether a person answered it or took a proposed output. */
export interface InputProposals {
  /** Whether the input waits for a decision on a proposed output; then it is not asked about by itself as well. */
  hasOpen(input: string): boolean
  /** The input has its output, or is turned down: no proposal for it counts any more. */
  settle(input: string): void
  /** Whether the candidate proposes an output for an input that is settled. */
  isSettled(candidate: Candidate): boolean
  /** The candidates with those first that a person took, so that these settle their inputs. */
  inOrder(candidates: readonly Candidate[]): Candidate[]
}

export function inputProposals(candidates: readonly Candidate[], decisions: ReadonlyMap<string, readonly Decision[]>): InputProposals {
  const stateOf = (candidate: Candidate) => standingOf(candidateItem(candidate), decisions.get(candidate.id) ?? []).state
  const open = new Set(
    candidates.flatMap((candidate) =>
      candidate.answers !== undefined && passes(candidate) && stateOf(candidate) !== "rejected" ? [candidate.answers] : [],
    ),
  )
  const settled = new Set<string>()
  return {
    hasOpen: (input) => open.has(input),
    settle: (input) => settled.add(input),
    isSettled: ({ answers }) => answers !== undefined && settled.has(answers),
    inOrder(all) {
      const isTaken = (candidate: Candidate) => candidate.answers !== undefined && stateOf(candidate) === "accepted"
      return [...all.filter(isTaken), ...all.filter((candidate) => !isTaken(candidate))]
    },
  }
}
