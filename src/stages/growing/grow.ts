import type { Candidate, CellYield, QuarantinedAnswer } from "../../core/rows/example.ts"
import {
  type Cell,
  cellName,
  type ModelStrategy,
  type OfflineStrategy,
  type StrategyMaterial,
} from "../../core/contracts/strategy.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { AnsweredDraft, CheckedDraft, DraftChecks } from "./check-drafts.ts"
import type { Ask, AskedPrompt } from "./asked-prompt.ts"
import { repairPrompt } from "./repair.ts"
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
}

/**
 * What the answers say. One that says nothing gets one repair attempt, a request of its own; then it is put aside with
 * the reason.
 */
async function readAnswers(
  name: string,
  strategy: ModelStrategy<never>,
  material: StrategyMaterial,
  answers: readonly AskedPrompt[],
  ask: Ask,
): Promise<ReadAnswers> {
  const first = answers.map((answer) => ({ answer, parsed: strategy.parse(answer.text, answer.prompt, material) }))
  const unread = first.filter(({ parsed }) => parsed.drafts.length === 0)
  const repairs = await ask(
    unread.map(({ answer, parsed }) => repairPrompt(answer, parsed.problems[0] ?? "it holds no example")),
  )
  const repairOf = new Map(unread.map(({ answer }, index) => [answer.key, repairs[index]]))
  const quarantined: QuarantinedAnswer[] = []
  let repaired = 0
  const read = first.map(({ answer, parsed }) => {
    const repair = repairOf.get(answer.key)
    if (repair === undefined) return { answer, parsed }
    const again = strategy.parse(repair.text, answer.prompt, material)
    if (again.drafts.length > 0) repaired += 1
    else {
      const reason = again.problems[0] ?? parsed.problems[0] ?? "it holds no example"
      quarantined.push({
        request: repair.key,
        strategy: name,
        parents: [...answer.prompt.parents],
        reason,
        answer: repair.text,
      })
    }
    return { answer: repair, parsed: again }
  })
  return {
    drafts: read.flatMap(({ answer, parsed }) =>
      parsed.drafts.map((draft) => ({ ...draft, request: answer.key, model: answer.model })),
    ),
    problems: read.flatMap(({ parsed }) => parsed.problems),
    quarantined,
    repaired,
  }
}

/** Counts what came of the rounds, by cell. */
class Tally {
  readonly #cells = new Map<string, { -readonly [Key in keyof CellYield]: CellYield[Key] }>()
  readonly #candidates = new Map<string, { candidate: Candidate; isNew: boolean }>()
  readonly #problems: string[] = []
  readonly #quarantined: QuarantinedAnswer[] = []
  #repaired = 0

  asked({ wanted, cell }: { readonly wanted: number; readonly cell?: Cell | undefined }): void {
    const entry = this.#of(cell)
    entry.asked += wanted
    entry.answered += wanted
  }

  read({ problems, quarantined, repaired }: ReadAnswers): void {
    this.#problems.push(...problems)
    this.#quarantined.push(...quarantined)
    this.#repaired += repaired
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
