import { answersTo } from "../curation/review/consensus.ts"
import { nearestTexts, type NearestTexts } from "../curation/text/nearest-texts.ts"
import { canonicalJson, canonicalText } from "../core/canonical.ts"
import type { Decision, DecisionLine } from "../core/rows/example.ts"
import { inputText } from "../core/task/output.ts"
import type { TaskSpecification } from "../core/task/task.ts"
import { ratedItems } from "../evaluation/review/agreement.ts"
import { krippendorffsAlpha, nominal } from "../evaluation/statistics/reliability.ts"
import type { StageContext } from "../stages/context.ts"
import { taskExamples, type TaskExamples } from "../stages/standing/task-examples.ts"
import { appendDecision, isErased, sessionName, withoutDerived } from "../stages/reviewing/record-decisions.ts"
import { decisionOf, type Answer } from "../stages/standing/answer.ts"
import { guidelineDigest, reviewItems } from "../stages/standing/review-items.ts"
import type { ReviewItem } from "../core/rows/review-item.ts"
import { isWithheld, reviewQueue } from "../stages/reviewing/review-queue.ts"
import { currentOn, outcomeOn } from "../stages/standing/standing.ts"
import { alikeName } from "../core/rows/reviewer-names.ts"
import { withLockIfFree } from "../store/files/lock.ts"
import { TaskRows } from "../store/rows/task-rows.ts"
import { ReviewLeases, type Holder } from "./review-leases.ts"
import type { Neighbour } from "./review-view.ts"
import type { Progress } from "./review-wire.ts"
import { AnswerError } from "./shell-server.ts"

/** Another process has the rows just now: nothing was recorded, and nobody waited. */
export class LockedError extends AnswerError {
  constructor() {
    super(503, "another command is writing the rows of this task; nothing was recorded, try again in a moment")
  }
}

/** Files are looked at for changes by others at most so often, and read again at most for a tenth of the time. */
const lookAgainMs = 2000
/** So many train seeds are enough to show what the task is like; more would only fill the memory. */
const mostNeighbours = 5000
const agreementAgainMs = 10_000
/** Of so many names what they skipped and their queues are held: names cost nothing. */
const mostNames = 200

/**
 * The queue of a task while pages are open: read once, then kept up with what the pages decide and, every few seconds,
 * with what changes on the disk. An item is open in one page at a time; where reviewers are named and share the queue
 * with overlap, in one page of each. Every decision is on the disk when the call returns.
 */
export class ReviewSession {
  readonly task: TaskSpecification
  readonly #context: StageContext
  readonly #rows: TaskRows
  readonly #suffix: string
  #examples: TaskExamples
  /** The queue of each reviewer, as of the last reading. */
  #queues = new Map<string, readonly ReviewItem[]>()
  #items = new Map<string, ReviewItem>()
  #hasEveryItem = false
  #decisions = new Map<string, Decision[]>()
  /** What was decided since the last reading. */
  #decidedSince = new Set<string>()
  #neighbours: { rows: readonly Neighbour[]; index: NearestTexts } | undefined
  #agreement: { at: number; value: Progress["agreement"] } | undefined
  #stamp = ""
  #lookedAt = 0
  #readAt = 0
  #readForMs = 0
  #lastAtMs = 0
  readonly #leases: ReviewLeases
  readonly #skipped = new Map<string, Set<string>>()
  readonly #sessions = new Map<string, string>()

  /** `suffix` keeps this session's files apart from those of every other one. */
  constructor(context: StageContext, task: TaskSpecification, suffix: string) {
    this.#context = context
    this.task = task
    this.#rows = new TaskRows(context.workspace, task.task)
    this.#suffix = suffix
    this.#leases = new ReviewLeases(context.monotonicMs)
    this.#examples = this.#read()
  }

  /** How many items wait: for the reviewer, or for anybody. */
  waitingFor(reviewer: string | undefined): number {
    return this.#queueOf(reviewer).length
  }

  /** A reviewer whose name is this one but for case; undefined where nobody's is, or where it is known. */
  alikeName(name: string): string | undefined {
    const decided = [...this.#decisions.values()].flatMap((decisions) => decisions.map(({ reviewer }) => reviewer))
    return alikeName(name, [...this.task.review.reviewers, ...decided])
  }

  /** The files that decisions were written to. */
  get files(): string[] {
    return [...this.#sessions.values()].map((session) =>
      this.#context.workspace.show(this.#rows.review.sessionFile(session)),
    )
  }

  /**
   * The next item for the page, which is its own from now on: the one that it asks for or has open, else the first in
   * the order of the queue that the reviewer neither decided on nor skipped, else the first skipped one.
   */
  next(asking: Holder, wished?: string): { item: ReviewItem | undefined; progress: Progress } {
    this.#keepUp()
    let found = this.#lookFor(asking, wished)
    if (found.item !== undefined && isErased(this.#rows.erased(), found.item)) {
      this.#examples = this.#read()
      found = this.#lookFor(asking, wished)
    }
    // What was decided since may have brought new questions: disputes, the next of a sample.
    if (this.#decidedSince.size > 0 && (found.item === undefined || (found.isSkipped && this.#mayRead()))) {
      this.#examples = this.#read()
      found = this.#lookFor(asking, wished)
    }
    const { item, progress } = found
    this.leave(asking.page)
    if (item) this.#leases.take(this.#claimOn(item.id, asking.reviewer), asking)
    return {
      item,
      progress: { ...progress, decided: this.#decidedBy(asking.reviewer), agreement: this.#agreementNow() },
    }
  }

  #lookFor({ reviewer, page }: Holder, wished: string | undefined) {
    const skipped = this.#skipped.get(reviewer) ?? new Set<string>()
    const progress = { waiting: 0, skipped: 0, elsewhere: 0 }
    let held: ReviewItem | undefined
    let fresh: ReviewItem | undefined
    const again = new Map<string, ReviewItem>()
    for (const item of this.#queueOf(reviewer)) {
      if (!this.#waitsFor(item, reviewer)) continue
      const lease = this.#leases.pageOf(this.#claimOn(item.id, reviewer))
      if (lease !== undefined && lease !== page) {
        progress.elsewhere++
        continue
      }
      progress.waiting++
      if (item.id === wished || (lease === page && wished === undefined)) held ??= item
      if (skipped.has(item.id)) again.set(item.id, item)
      else fresh ??= item
    }
    progress.skipped = again.size
    // The set of the skipped is in the order in which they were.
    const oldest = [...skipped].find((id) => again.has(id))
    const item = held ?? fresh ?? (oldest === undefined ? undefined : again.get(oldest))
    return { item, isSkipped: item !== undefined && skipped.has(item.id), progress }
  }

  /** The item comes again after the others. */
  skip({ reviewer, page }: Holder, item: string): void {
    this.leave(page)
    // Ids that are nobody's would only fill the memory.
    if (this.item(item) === undefined) return
    const skipped = this.#skipped.get(reviewer) ?? new Set()
    // Skipped again, it goes to the end.
    skipped.delete(item)
    this.#skipped.delete(reviewer)
    this.#skipped.set(reviewer, skipped.add(item))
    const [oldest] = this.#skipped.keys()
    if (this.#skipped.size > mostNames && oldest !== undefined) this.#skipped.delete(oldest)
  }

  /** A moment later; others are served meanwhile. */
  async pause(milliseconds: number): Promise<void> {
    await this.#context.sleep(milliseconds)
  }

  /** The page holds no item any more. */
  leave(page: string): void {
    this.#leases.leave(page)
  }

  /** The item as it is by now; undefined when there is none. */
  item(id: string): ReviewItem | undefined {
    if (!this.#items.has(id) && !this.#hasEveryItem) {
      for (const item of reviewItems(this.#rows, this.#examples.sources))
        if (!this.#items.has(item.id)) this.#items.set(item.id, item)
      this.#hasEveryItem = true
    }
    const item = this.#items.get(id)
    return item === undefined || isWithheld(this.task, item) ? undefined : item
  }

  /** The different answers that reviewers gave, where the item asks which of them holds; without names. */
  answers(item: ReviewItem): readonly Decision[] {
    const { disputed } = item
    if (disputed === undefined) return []
    return [
      ...answersTo(currentOn(disputed, this.#decisions.get(disputed.id) ?? []), (decision) =>
        outcomeOn(disputed, decision),
      ).values(),
    ]
  }

  /** The reviewer's decision on the item that counts. */
  mine(item: ReviewItem, reviewer: string): Decision | undefined {
    return currentOn(item, this.#decisions.get(item.id) ?? []).findLast((decision) => decision.reviewer === reviewer)
  }

  /** The decision that the answer makes is on the disk; the same one twice is one. */
  decide(reviewer: string, item: ReviewItem, answer: Answer, comment: string): Decision {
    const made = decisionOf(item, answer, { reviewer, comment: canonicalText(comment).trim() })
    const before = this.mine(item, reviewer)
    if (before && canonicalJson(contentOf(before)) === canonicalJson(contentOf(made))) return before
    const decision: Decision = { ...made, guideline: guidelineDigest(this.task), at: this.#time() }
    this.#append(item, decision)
    this.#decisions.set(item.id, [...(this.#decisions.get(item.id) ?? []), decision])
    this.#decidedSince.add(this.#claimOn(item.id, reviewer))
    this.#skipped.get(reviewer)?.delete(item.id)
    return decision
  }

  /** The reviewer's decision of that time is taken back, and is returned; undefined when it does not stand any more. */
  withdraw(asking: Holder, id: string, at: string): Decision | undefined {
    const { reviewer } = asking
    const decisions = this.#decisions.get(id) ?? []
    const last = decisions.findLast((decision) => decision.reviewer === reviewer)
    const item = this.item(id)
    if (last === undefined || last.at !== at || item === undefined) return undefined
    const { item: _item, rows, guideline, revision } = last
    this.#append(item, {
      item: id,
      ...(rows === undefined ? {} : { rows }),
      verdict: "withdraw",
      reviewer,
      guideline,
      revision,
      at: this.#time(),
    })
    this.#decisions.set(
      id,
      decisions.filter((decision) => decision !== last),
    )
    this.#decidedSince.delete(this.#claimOn(id, reviewer))
    const queue = this.#queueOf(reviewer)
    if (!queue.some((other) => other.id === id)) this.#queues.set(reviewer, [item, ...queue])
    this.leave(asking.page)
    this.#leases.take(this.#claimOn(id, reviewer), asking)
    return last
  }

  /** The reviewer's last decision that was made on a page and stands. */
  lastOf(reviewer: string): Decision | undefined {
    this.#keepUp()
    let last: Decision | undefined
    for (const decisions of this.#decisions.values())
      for (const decision of decisions)
        if (decision.reviewer === reviewer && decision.source === undefined && decision.at > (last?.at ?? ""))
          last = decision
    return last
  }

  /** The train seeds most like the item, most similar first. */
  nearest(item: ReviewItem, count: number): Neighbour[] {
    this.#neighbours ??= this.#indexNeighbours()
    const { rows, index } = this.#neighbours
    // Neither the row that is asked about nor the one that a gold check was made of: it would tell the answer.
    const itself = new Set([
      ...(item.rows ?? []).map(({ row }) => row),
      ...(item.gold === undefined ? [] : [item.gold.row]),
    ])
    return index
      .find(inputText(this.task, item.input), count + itself.size)
      .flatMap(({ place }) => rows[place] ?? [])
      .filter(({ id }) => !itself.has(id))
      .slice(0, count)
  }

  #indexNeighbours(): { rows: readonly Neighbour[]; index: NearestTexts } {
    const split = new Map(this.#rows.assignments().map((assignment) => [assignment.id, assignment.split]))
    const rows = this.#rows
      .seeds()
      .filter(({ id }) => (split.get(id) ?? "train") === "train")
      .filter((seed) => !isWithheld(this.task, seed))
      .slice(0, mostNeighbours)
    return { rows, index: nearestTexts(rows.map(({ input }) => inputText(this.task, input))) }
  }

  #append(item: ReviewItem, line: DecisionLine): void {
    const session = this.#sessions.get(line.reviewer) ?? sessionName(line.at, [line], this.#suffix)
    const { workspace } = this.#context
    // What changed before the append is still seen as a change after it.
    const isKeptUp = this.#rows.stamp() === this.#stamp
    let isDone = false
    withLockIfFree(workspace.lockFile(this.task.task), () => {
      // A page that was open before an erasure still shows what went.
      if (isErased(this.#rows.erased(), item))
        throw new AnswerError(409, "this item was erased after it was shown; nothing was recorded", { isChanged: true })
      appendDecision(this.#rows, session, item, line)
      isDone = true
    })
    if (!isDone) throw new LockedError()
    this.#sessions.set(line.reviewer, session)
    if (isKeptUp) this.#stamp = this.#rows.stamp()
  }

  /** The files are read again where somebody else changed them. */
  #keepUp(): void {
    const now = this.#context.monotonicMs()
    if (!this.#mayRead() || now - this.#lookedAt < lookAgainMs) return
    this.#lookedAt = now
    if (this.#rows.stamp() !== this.#stamp) this.#examples = this.#read()
  }

  #mayRead(): boolean {
    return this.#context.monotonicMs() - this.#readAt >= Math.max(lookAgainMs, 10 * this.#readForMs)
  }

  #read(): TaskExamples {
    const started = this.#context.monotonicMs()
    // A change while the files are read is seen the next time.
    this.#stamp = this.#rows.stamp()
    const examples = taskExamples(this.task, this.#rows)
    this.#queues = new Map()
    this.#items = new Map()
    this.#hasEveryItem = false
    this.#decisions = Map.groupBy(withoutDerived(this.#rows.review.decisions()), ({ item }) => item)
    this.#decidedSince = new Set()
    this.#neighbours = undefined
    this.#agreement = undefined
    this.#readAt = this.#context.monotonicMs()
    this.#readForMs = this.#readAt - started
    return examples
  }

  #queueOf(reviewer: string | undefined): readonly ReviewItem[] {
    const known = this.#queues.get(reviewer ?? "")
    if (known !== undefined) return known
    const queue = reviewQueue(this.task, this.#examples, { reviewer })
    if (this.#queues.size >= mostNames) this.#queues.clear()
    this.#queues.set(reviewer ?? "", queue)
    for (const item of queue) this.#items.set(item.id, item)
    return queue
  }

  /** Whether the item of their queue is not decided on, by them or, since the queue was read, by others. */
  #waitsFor(item: ReviewItem, reviewer: string): boolean {
    if (this.#decidedSince.has(this.#claimOn(item.id, reviewer))) return false
    return !this.#decisions.has(item.id) || this.mine(item, reviewer) === undefined
  }

  /**
   * What a page takes when it opens an item: the item, or where each named reviewer decides for themselves, the item
   * for that one.
   */
  #claimOn(item: string, reviewer: string): string {
    return this.task.review.reviewers.length === 0 ? item : `${item} ${reviewer}`
  }

  #decidedBy(reviewer: string): number {
    let count = 0
    for (const decisions of this.#decisions.values())
      if (decisions.some((decision) => decision.reviewer === reviewer)) count++
    return count
  }

  #agreementNow(): Progress["agreement"] {
    const now = this.#context.monotonicMs()
    if (this.#agreement === undefined || now - this.#agreement.at > agreementAgainMs) {
      const units = ratedItems([...this.#decisions.values()].flat(), (item) => this.#items.get(item)?.output).map(
        (item) => [...item.values()],
      )
      const unanimous = units.filter((unit) => new Set(unit).size === 1).length
      this.#agreement = {
        at: now,
        value: { items: units.length, unanimous, alpha: krippendorffsAlpha(units, nominal) },
      }
    }
    return this.#agreement.value
  }

  /** A time that no other line of this session has: the order of the lines is that of their times. */
  #time(): string {
    this.#lastAtMs = Math.max(this.#lastAtMs + 1, this.#context.now().getTime())
    return new Date(this.#lastAtMs).toISOString()
  }
}

function contentOf({
  verdict,
  output,
  reason,
  revision,
}: Pick<Decision, "verdict" | "output" | "reason" | "revision">): unknown {
  return { verdict, output: output ?? null, reason: reason ?? null, revision }
}
