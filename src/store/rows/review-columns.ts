import type { z } from "zod"
import { cellName } from "../../core/contracts/strategy.ts"
import { bitsOf } from "../../core/id-table.ts"
import { parseJson } from "../../core/json-text.ts"
import { passes } from "../../core/rows/candidates.ts"
import { candidateSchema, decisionSchema, realInputSchema, type DecisionLine } from "../../core/rows/example.ts"
import { revisionOf } from "../../core/rows/row-identity.ts"
import { randomDraw } from "../../core/rows/random-draw.ts"
import { decisionVerdicts } from "../../core/rows/example.ts"
import type { Width } from "./columns.ts"
import type { LineFold } from "./folded-lines.ts"

/** Raised when the columns hold something else of the same lines. */
const semantics = 1

/** What `flags` of a candidate says. */
export const candidateFlags = { passes: 1, hasConfidence: 2, hasAnswers: 4, isOddAnswer: 8 } as const

const idWidths = { high: "int", low: "int", start: "float" } as const
const revisionWidths = { r0: "int", r1: "int", r2: "int", r3: "int" } as const

const candidateWidths = {
  ...idWidths,
  ...revisionWidths,
  flags: "byte",
  confidence: "float",
  /** Texts by number: its output as JSON, where outputs are labels. */
  strategy: "int",
  cell: "int",
  output: "int",
  answersHigh: "int",
  answersLow: "int",
  draw: "float",
} as const satisfies Record<string, Width>
export type CandidateColumn = keyof typeof candidateWidths

/** What is kept of the lines of a batch of candidates. Outputs are kept where they are labels, of which there are few. */
export function candidateFold(withOutputs: boolean): LineFold<CandidateColumn> {
  return {
    ...{ name: "candidates", asked: { semantics, withOutputs }, widths: candidateWidths },
    add(columns, text, start) {
      const candidate = parsed(candidateSchema, text)
      if (candidate === undefined) return false
      const { id, input, output, strategy, confidence, cell, answers } = candidate
      const isInput = answers !== undefined && /^input_[0-9a-f]{16}$/.test(answers)
      if (answers !== undefined && !isInput) return false
      const [answersHigh, answersLow] = isInput ? bitsOf(answers) : [0, 0]
      columns.add({
        ...idNumbers(id, start),
        ...revisionNumbers(revisionOf(input, output)),
        flags:
          (passes(candidate) ? candidateFlags.passes : 0) +
          (confidence === undefined ? 0 : candidateFlags.hasConfidence) +
          (isInput ? candidateFlags.hasAnswers : 0),
        confidence: confidence ?? 0,
        strategy: columns.number(strategy),
        cell: columns.number(cellName(cell ?? {})),
        output: withOutputs ? columns.number(JSON.stringify(output)) : -1,
        ...{ answersHigh, answersLow, draw: randomDraw(id) },
      })
      return true
    },
  }
}

const inputWidths = { ...idWidths, ...revisionWidths } as const
export type InputColumn = keyof typeof inputWidths

/** What is kept of the lines of real inputs. */
export const inputFold: LineFold<InputColumn> = {
  ...{ name: "inputs", asked: { semantics }, widths: inputWidths },
  add(columns, text, start) {
    const row = parsed(realInputSchema, text)
    if (row === undefined) return false
    columns.add({ ...idNumbers(row.id, start), ...revisionNumbers(revisionOf(row.input, undefined)) })
    return true
  },
}

/**
 * What the column `kind` says: of which rows the item is, or that the decision says more than the columns hold, and is
 * read again.
 */
export const itemKinds = ["cand", "input", "odd"] as const
const oddKind = itemKinds.indexOf("odd")

const decisionWidths = {
  ...idWidths,
  ...revisionWidths,
  kind: "byte",
  /** Its number in `decisionVerdicts`. */
  verdict: "byte",
  at: "float",
  /** Texts by number: the output as JSON. */
  reviewer: "int",
  guideline: "int",
  output: "int",
  reason: "int",
} as const satisfies Record<string, Width>
export type DecisionColumn = keyof typeof decisionWidths

/** What is kept of the lines of a log of decisions. */
export const decisionFold: LineFold<DecisionColumn> = {
  ...{ name: "decisions", asked: { semantics }, widths: decisionWidths },
  add(columns, text, start) {
    const line = parsed(decisionSchema, text)
    if (line === undefined) return false
    const kind = kindOf(line)
    const isOdd = kind === oddKind
    columns.add({
      ...(isOdd ? { high: 0, low: 0, start, r0: 0, r1: 0, r2: 0, r3: 0 } : idNumbers(line.item, start)),
      ...(isOdd ? {} : revisionNumbers(line.revision)),
      ...{ kind, verdict: decisionVerdicts.indexOf(line.verdict), at: Date.parse(line.at) },
      reviewer: columns.number(line.reviewer),
      guideline: columns.number(line.guideline),
      output: columns.number(isOdd || line.output === undefined ? undefined : JSON.stringify(line.output)),
      reason: columns.number(isOdd ? undefined : line.reason),
    } as Record<DecisionColumn, number>)
    return true
  },
}

/** The line as it is read everywhere; undefined for one that is none. */
export function parsed<Row>(schema: z.ZodType<Row>, text: string): Row | undefined {
  return schema.safeParse(parseJson(text)).data
}

function kindOf({ item, verdict, settles, rows, revision }: DecisionLine): number {
  const [, kind] = /^(cand|input)_[0-9a-f]{16}$/.exec(item) ?? []
  const isPlain = verdict !== "withdraw" && settles === undefined && rows === undefined
  if (kind === undefined || !isPlain || !/^sha256:[0-9a-f]{64}$/.test(revision)) return oddKind
  return itemKinds.indexOf(kind as "cand" | "input")
}

function idNumbers(id: string, start: number): Record<keyof typeof idWidths, number> {
  const [high, low] = bitsOf(id)
  return { high, low, start }
}

/** The first half of the digest: enough to tell revisions apart. */
function revisionNumbers(revision: string): Record<keyof typeof revisionWidths, number> {
  const at = (index: number) => Number.parseInt(revision.slice(7 + 8 * index, 15 + 8 * index), 16) | 0
  return { r0: at(0), r1: at(1), r2: at(2), r3: at(3) }
}
