import type { Candidate, Example, RealInput, Seed } from "../../core/rows/example.ts"
import { groupOf, type NamesColumns } from "../../core/rows/kept-columns.ts"

/**
 * Makes examples of seeds. Those that follow each other mostly come from one source: they share what is said of them.
 */
export function goldExamples(task: NamesColumns): (seed: Seed) => Example {
  const goldOf = (source: string | undefined, group: string | undefined) => ({
    parents: [],
    strategy: "gold",
    ...(source === undefined ? {} : { source }),
    ...(group === undefined ? {} : { group }),
    acceptedBy: "gold",
  })
  let last: Example["provenance"] = goldOf(undefined, undefined)
  return (seed) => {
    const { id, input, output, source } = seed
    const group = groupOf(task, seed)
    if (last.source !== source || last.group !== group) last = goldOf(source, group)
    return { id: exampleId(id), input, output, provenance: last }
  }
}

/** Makes an example of a real input and the output that it was given. */
export function answeredInput(task: NamesColumns, input: RealInput, output: unknown, by: string): Example {
  const group = groupOf(task, input)
  return {
    id: exampleId(input.id),
    input: input.input,
    output,
    provenance: {
      parents: [],
      strategy: "answered-input",
      ...(input.source === undefined ? {} : { source: input.source }),
      ...(group === undefined ? {} : { group }),
      acceptedBy: by,
    },
  }
}

/** Makes an example of a candidate, as proposed, in the group of the input that it answers; nobody accepted it. */
export function candidateExample(candidate: Candidate, group?: string): Example {
  return {
    id: exampleId(candidate.id),
    input: candidate.input,
    output: candidate.output,
    provenance: {
      parents: candidate.parents,
      strategy: candidate.strategy,
      ...(candidate.model === undefined ? {} : { model: candidate.model }),
      ...(candidate.request === undefined ? {} : { request: candidate.request }),
      ...(group === undefined ? {} : { group }),
      acceptedBy: "",
    },
  }
}

/** The example's id keeps the digits of what it came from, so that one leads to the other. */
function exampleId(id: string): string {
  return `ex_${id.slice(id.indexOf("_") + 1)}`
}
