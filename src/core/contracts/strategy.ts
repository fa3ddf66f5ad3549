import type { z } from "zod"
import type { Failure } from "../rows/failure.ts"
import type { Input, Output, RealInput, Seed } from "../rows/example.ts"
import type { PathIssue } from "../parse.ts"
import type { Message } from "../task/prompt.ts"
import type { TaskSpecification } from "../task/task.ts"

/** What an example covers: attributes by name, among them `label` where a task has labels. */
export type Cell = Readonly<Record<string, string>>

/** `label=delivery, tone=angry`; `all` where a strategy makes no difference. */
export function cellName(cell: Cell): string {
  return (
    Object.entries(cell)
      .map(([name, value]) => `${name}=${value}`)
      .join(", ") || "all"
  )
}

/** A grown pair before it is checked. */
export interface Draft {
  readonly input: Input
  readonly output: Output
  readonly parents: readonly string[]
  readonly cell?: Cell | undefined
  /** The real input that it answers. */
  readonly answers?: string | undefined
}

/** What a strategy may look at; of the sources only those that it names in `uses`. Nothing held out ever gets here. */
export interface StrategyMaterial {
  readonly task: TaskSpecification
  /** The seeds of the train split, by id. */
  readonly seeds: readonly Seed[]
  /** The real inputs of the train split that nobody answered, by id. */
  readonly inputs: readonly RealInput[]
  /** What the tuned model gets wrong, in words that quote nothing held out. */
  readonly failures: readonly Failure[]
  /** How many candidates are wished for. */
  readonly count: number
  /** How many prompts the rounds before asked. */
  readonly asked: number
  /** How many candidates of the rounds before passed their checks, by the name of the cell. */
  readonly covered: ReadonlyMap<string, number>
}
export type StrategySource = "seeds" | "inputs" | "attributes" | "failures"

/** A way to grow examples that asks no model: equal material gives equal drafts, in order. */
export interface OfflineStrategy<Options> extends StrategyBase<Options> {
  readonly asksModel: false
  grow(material: StrategyMaterial, options: Options): readonly Draft[]
}

/** A way to grow examples by asking a model. */
export interface ModelStrategy<Options> extends StrategyBase<Options> {
  readonly asksModel: true
  /**
   * Raised when `parse` reads another thing from the same answer: answers are then read again and not asked for again.
   */
  readonly semantics: number
  /**
   * Raised when `parse` reads answers that it could not read before, and all others as before: then batches are read
   * again that put answers aside, and no others.
   */
  readonly learnt?: number
  /** Whether a second labelling pass over its candidates belongs to it. */
  readonly secondPass?: boolean
  /**
   * Every prompt that is still to be asked, in order. Their number follows from `count` and `asked` alone, and a larger
   * `count` only adds prompts at the end: so a plan is exact before the first round, and growing more asks nothing
   * again. A prompt shows few seeds, chosen by stable hashing. Prompts are made as they are taken.
   */
  plan(material: StrategyMaterial, options: Options): Iterable<PlannedPrompt>
  /** What an answer says; throws nothing. No drafts: it could not be read. */
  parse(text: string, prompt: PlannedPrompt, material: StrategyMaterial): ParsedAnswer
  /** Every cell that it could fill. Default: those of its prompts. */
  cells?(material: StrategyMaterial, options: Options): readonly Cell[]
}

export interface ParsedAnswer {
  readonly drafts: readonly Draft[]
  readonly problems: readonly string[]
}

export interface PlannedPrompt {
  readonly messages: readonly Message[]
  /** The ids of the seeds and inputs that it shows. */
  readonly parents: readonly string[]
  readonly seed: number
  /** How many examples it asks for. */
  readonly wanted: number
  /** What it asks the examples to cover. */
  readonly cell?: Cell
  /** The half of the pair that is given, when the answer is the other one. */
  readonly given?: { readonly input?: Input; readonly output?: Output }
  /** JSON Schema of the answer, for servers that can keep to one; the parser must not rely on it. */
  readonly schema?: Readonly<Record<string, unknown>>
}

interface StrategyBase<Options> {
  readonly summary: string
  /** What it grows from besides the specification. */
  readonly uses: readonly StrategySource[]
  readonly options: z.ZodType<Options>
  /** Problems of the options that the schema cannot see, by their path inside the strategy's options. */
  check?(task: TaskSpecification, options: Options): readonly PathIssue[]
}

/** The default export of a file in strategies/, whose name is the strategy's id. */
export type Strategy<Options = never> = OfflineStrategy<Options> | ModelStrategy<Options>
