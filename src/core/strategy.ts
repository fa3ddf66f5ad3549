import type { z } from "zod"
import type { Input, Output, Seed } from "./example.ts"
import type { PathIssue } from "./parse.ts"
import type { Message } from "./prompt.ts"
import type { TaskSpecification } from "./task.ts"

/** A grown pair before it is checked. */
export interface Draft {
  readonly input: Input
  readonly output: Output
  readonly parents: readonly string[]
}

/** What a strategy may look at: the specification and the seeds of the train split, ordered by id. Nothing held out ever gets here. */
export interface StrategyMaterial {
  readonly task: TaskSpecification
  readonly seeds: readonly Seed[]
  readonly count: number
}

/** A way to grow examples that asks no model: equal material gives equal drafts, in order. */
export interface OfflineStrategy<Options> extends StrategyBase<Options> {
  readonly asksModel: false
  grow(material: StrategyMaterial, options: Options): readonly Draft[]
}

/** A way to grow examples by asking a model: `plan` fixes every prompt beforehand; `parse` reads an answer and throws nothing. */
export interface ModelStrategy<Options> extends StrategyBase<Options> {
  readonly asksModel: true
  plan(material: StrategyMaterial, options: Options): readonly PlannedPrompt[]
  parse(text: string, prompt: PlannedPrompt, material: StrategyMaterial): { readonly drafts: readonly Draft[]; readonly problems: readonly string[] }
}

export interface PlannedPrompt {
  readonly messages: readonly Message[]
  readonly parents: readonly string[]
  readonly seed: number
  /** JSON Schema of the answer, for servers that can keep to one; the parser must not rely on it. */
  readonly schema?: Readonly<Record<string, unknown>>
}

interface StrategyBase<Options> {
  readonly summary: string
  readonly options: z.ZodType<Options>
  /** Problems of the options that the schema cannot see, by their path inside the strategy's options. */
  check?(task: TaskSpecification, options: Options): readonly PathIssue[]
}

/** The default export of a file in strategies/, whose name is the strategy's id. */
export type Strategy<Options = never> = OfflineStrategy<Options> | ModelStrategy<Options>
