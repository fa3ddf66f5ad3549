import type { Silence } from "../../core/asking/spoken.ts"
import type { Candidate, CellYield, QuarantinedAnswer } from "../../core/rows/example.ts"
import {
  type Cell,
  cellName,
  type ModelStrategy,
  type OfflineStrategy,
  type ParsedAnswer,
  type StrategyMaterial,
} from "../../core/contracts/strategy.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { AnsweredDraft, CheckedDraft, DraftChecks } from "./check-drafts.ts"
import type { Ask, AskedPrompt } from "./asked-prompt.ts"
import { askUntilRead, type Read } from "./ask-until-read.ts"
import { passes } from "../../core/rows/candidates.ts"
import { secondPassOf, withSecondOpinions } from "./second-opinions.ts"

/** What a strategy grew, before it is written. */
export interface Growth {
  /** Each candidate once, in the order of the plan. */
  readonly candidates: readonly Candidate[]
  /** Those that no other batch has. */
  readonly added: readonly Candidate[]
  readonly quarantined: readonly QuarantinedAnswer[]
  readonly repaired: number
  /** How many answers were read in part. */
  readonly incomplete: number
  /** Why answers had no text, each once. */
  readonly silent: readonly Silence["kind"][]
  readonly requests: number
  readonly rounds: number
  readonly problems: readonly string[]
  readonly cells: readonly CellYield[]
}

/** What is grown from, by which strategy, and what is looked at in it. */
export interface GrownBy {
  readonly name: string
  readonly strategy: ModelStrategy<never>
  readonly options: never
  readonly material: Omit<StrategyMaterial, "asked" | "covered">
  readonly checks: DraftChecks
}

/**
 * Grows by asking a model, round after round, until the plan is done. The prompts of a round are fixed before it; its
 * answers are committed in the order of the plan, whatever order they came in. So a run that was stopped and started
 * again grows the same.
 */
export async function growByAsking(task: TaskSpecification, by: GrownBy, ask: Ask): Promise<Growth> {
  const { name, strategy, options, material, checks } = by
  const tally = new Tally()
  const secondPass = secondPassOf(task, strategy.secondPass === true)
  let asked = 0
  let rounds = 0
  for (;;) {
    const current = { ...material, asked, covered: tally.covered() }
    const prompts = [...take(strategy.plan(current, options), task.expand.roundSize)]
    if (prompts.length === 0) break
    rounds++
    asked += prompts.length
    const answers = await ask(prompts)
    const read = await readAnswers(name, strategy, current, answers, ask)
    for (const { prompt } of answers) tally.asked(prompt)
    tally.read(read)
    const checked = checks.check(read.drafts)
    const open = checked.flatMap(({ candidate, isNew }) => (isNew && passes(candidate) ? [candidate] : []))
    const opinions = new Map(
      (await withSecondOpinions(task, open, { seeds: material.seeds, secondPass, ask })).map((candidate) => [
        candidate.id,
        candidate,
      ]),
    )
    tally.commit(
      checked.map((entry) =>
        entry.isNew ? { ...entry, candidate: opinions.get(entry.candidate.id) ?? entry.candidate } : entry,
      ),
    )
  }
  return tally.growth(asked, rounds)
}

/** Grows without a model. */
export function growOffline(
  strategy: OfflineStrategy<never>,
  options: never,
  material: Omit<StrategyMaterial, "asked" | "covered">,
  checks: DraftChecks,
): Growth {
  const drafts = strategy.grow({ ...material, asked: 0, covered: new Map() }, options)
  const tally = new Tally()
  for (const { cell } of drafts) tally.asked({ wanted: 1, cell })
  tally.commit(checks.check(drafts))
  return tally.growth(0, 1)
}

interface ReadAnswers {
  readonly drafts: readonly AnsweredDraft[]
  readonly problems: readonly string[]
  readonly quarantined: readonly QuarantinedAnswer[]
  readonly repaired: number
  readonly incomplete: number
  readonly silent: readonly Silence["kind"][]
}

/**
 * What the answers say. One that says nothing gets one repair attempt, a request of its own; then it is put aside with
 * the reason, as is one of which only a part could be read.
 */
async function readAnswers(
  name: string,
  strategy: ModelStrategy<never>,
  material: StrategyMaterial,
  answers: readonly AskedPrompt[],
  ask: Ask,
): Promise<ReadAnswers> {
  const read = await askUntilRead(answers, ask, (answer): Read<ParsedAnswer> => {
    const parsed = strategy.parse(answer.text, answer.prompt, material)
    return parsed.drafts.length > 0 ? { value: parsed } : { problem: parsed.problems[0] ?? "it holds no example" }
  })
  const quarantined = read.flatMap(({ answer, read: found }): QuarantinedAnswer[] => {
    const problems = "problem" in found ? [found.problem] : found.value.problems
    if (problems.length === 0) return []
    const { key: request, prompt, text, thought } = answer
    const reason = "problem" in found ? found.problem : `read in part; not read: ${problems.join("; ")}`
    const parents = [...prompt.parents]
    return [{ request, strategy: name, parents, reason, answer: text, ...(thought === undefined ? {} : { thought }) }]
  })
  const parsed = read.flatMap(({ answer, read: found }) => ("value" in found ? [{ answer, ...found.value }] : []))
  const incomplete = parsed.filter(({ problems }) => problems.length > 0).length
  return {
    drafts: parsed.flatMap(({ answer, drafts }) =>
      drafts.map((draft) => ({ ...draft, request: answer.key, model: answer.model })),
    ),
    problems: read.flatMap(({ read: found }) => ("problem" in found ? [found.problem] : found.value.problems)),
    quarantined,
    repaired: read.filter(({ isRepair, read: found }) => isRepair && "value" in found).length,
    incomplete,
    silent: read.flatMap(({ answer }) => answer.silence?.kind ?? []),
  }
}

/** Counts what came of the rounds, by cell. */
class Tally {
  readonly #cells = new Map<string, { -readonly [Key in keyof CellYield]: CellYield[Key] }>()
  readonly #candidates = new Map<string, { candidate: Candidate; isNew: boolean }>()
  readonly #problems: string[] = []
  readonly #quarantined: QuarantinedAnswer[] = []
  readonly #silent: Silence["kind"][] = []
  #repaired = 0
  #incomplete = 0

  asked({ wanted, cell }: { readonly wanted: number; readonly cell?: Cell | undefined }): void {
    const entry = this.#of(cell)
    entry.asked += wanted
    entry.answered += wanted
  }

  read({ problems, quarantined, repaired, incomplete, silent }: ReadAnswers): void {
    this.#problems.push(...problems)
    this.#quarantined.push(...quarantined)
    this.#silent.push(...silent)
    this.#repaired += repaired
    this.#incomplete += incomplete
  }

  commit(checked: readonly CheckedDraft[]): void {
    for (const { candidate, isNew, isNovel } of checked) {
      const entry = this.#of(candidate.cell)
      entry.parsed += 1
      if (isNovel) entry.novel += 1
      if (isNovel && passes(candidate)) entry.passed += 1
      if (!this.#candidates.has(candidate.id)) this.#candidates.set(candidate.id, { candidate, isNew })
    }
  }

  covered(): Map<string, number> {
    return new Map([...this.#cells].map(([name, { passed }]) => [name, passed]))
  }

  growth(requests: number, rounds: number): Growth {
    const found = [...this.#candidates.values()]
    return {
      candidates: found.map(({ candidate }) => candidate),
      added: found.flatMap(({ candidate, isNew }) => (isNew ? [candidate] : [])),
      quarantined: this.#quarantined,
      repaired: this.#repaired,
      incomplete: this.#incomplete,
      silent: this.#silent,
      requests,
      rounds,
      problems: this.#problems,
      cells: [...this.#cells.values()],
    }
  }

  #of(cell: Cell = {}): { -readonly [Key in keyof CellYield]: CellYield[Key] } {
    const name = cellName(cell)
    const entry = this.#cells.get(name) ?? { cell: { ...cell }, asked: 0, answered: 0, parsed: 0, novel: 0, passed: 0 }
    this.#cells.set(name, entry)
    return entry
  }
}

function* take<Item>(items: Iterable<Item>, most: number): Generator<Item> {
  let taken = 0
  for (const item of items) {
    yield item
    if (++taken >= most) return
  }
}
