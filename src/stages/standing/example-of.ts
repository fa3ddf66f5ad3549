import type { Candidate, Example, RealInput, Seed } from "../../core/rows/example.ts"

/**
 * Makes examples of seeds. Those that follow each other mostly come from one source: they share what is said of them.
 */
export function goldExamples(): (seed: Seed) => Example {
  const goldOf = (source: string | undefined) => ({
    parents: [],
    strategy: "gold",
    ...(source === undefined ? {} : { source }),
    acceptedBy: "gold",
  })
  let last: Example["provenance"] = goldOf(undefined)
  return ({ id, input, output, source }) => {
    if (last.source !== source) last = goldOf(source)
    return { id: exampleId(id), input, output, provenance: last }
  }
}

/** Makes an example of a real input and the output that it was given. */
export function answeredInput(input: RealInput, output: unknown, by: string): Example {
  return {
    id: exampleId(input.id),
    input: input.input,
    output,
    provenance: {
      parents: [],
      strategy: "answered-input",
      ...(input.source === undefined ? {} : { source: input.source }),
      acceptedBy: by,
    },
  }
}

/** Makes an example of a candidate, as it was proposed; nobody accepted it yet. */
export function candidateExample(candidate: Candidate): Example {
  return {
    id: exampleId(candidate.id),
    input: candidate.input,
    output: candidate.output,
    provenance: {
      parents: candidate.parents,
      strategy: candidate.strategy,
      ...(candidate.model === undefined ? {} : { model: candidate.model }),
      ...(candidate.request === undefined ? {} : { request: candidate.request }),
      acceptedBy: "",
    },
  }
}

/** The example's id keeps the digits of what it came from, so that one leads to the other. */
function exampleId(id: string): string {
  return `ex_${id.slice(id.indexOf("_") + 1)}`
}
