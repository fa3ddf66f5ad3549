import { z } from "zod"
import { canonicalJson, canonicalValue } from "../core/canonical.ts"
import { outputIssues, sameOutput } from "../core/task/output.ts"
import type { TaskSpecification } from "../core/task/task.ts"
import { outputAfter, takesOutput, type Answer } from "../stages/standing/answer.ts"
import { choicesOf, everyChoice, kindOf } from "../stages/standing/kinds.ts"
import type { ReviewItem } from "../core/rows/review-item.ts"
import { differenceOf } from "./review-difference.ts"
import { LockedError, type ReviewSession } from "./review-session.ts"
import { itemView, saidOf, taskView, textOf } from "./review-view.ts"
import type { ItemView, NextAnswer, OutputCheck, Recorded, TaskView } from "./review-wire.ts"
import { AnswerError, type Call, type Calls } from "./shell-server.ts"

const shown = 3

const who = { reviewer: z.string().trim().min(1).max(100), page: z.string().min(8).max(64) }
const nextSchema = z.strictObject({ ...who, item: z.string().optional() })
const skipSchema = z.strictObject({ ...who, item: z.string() })
const decideSchema = z.strictObject({
  ...who,
  item: z.string(),
  revision: z.string(),
  choice: z.enum(everyChoice().map(({ name }) => name)),
  output: z.unknown().optional(),
  comment: z.string().max(10_000).default(""),
})
const lastSchema = z.strictObject(who)
const withdrawSchema = z.strictObject({ ...who, decision: z.strictObject({ item: z.string(), at: z.string() }) })
const checkSchema = z.strictObject({ item: z.string(), output: z.unknown() })
const alikeSchema = z.strictObject({ reviewer: who.reviewer })
const leaveSchema = z.strictObject({ page: who.page })

/**
 * What the page for reviewers may ask for. `reviewer` is who reviews where the command line says so: the page cannot be
 * anybody else then.
 */
export function reviewCalls(session: ReviewSession, reviewer: string | undefined): Calls {
  const { task } = session
  const asking: AskingReader = (schema, body) => {
    const asked = read(schema, body)
    return reviewer === undefined ? asked : { ...asked, reviewer }
  }
  return {
    task: (): TaskView => taskView(task, reviewer),
    ...queueCalls(session, asking),
    ...decisionCalls(session, asking),
  }
}

/** Reads a request of a reviewer. */
type AskingReader = <Asked extends { reviewer: string }>(schema: z.ZodType<Asked>, body: unknown) => Asked

/** What the page asks on the way through the queue. */
function queueCalls(session: ReviewSession, asking: AskingReader): Calls {
  return {
    next(body, client): NextAnswer {
      const asked = asking(nextSchema, body)
      const { item, progress } = session.next({ ...asked, client }, asked.item)
      return { item: item && shownTo(session, item, asked.reviewer), progress }
    },
    skip(body, client) {
      const asked = asking(skipSchema, body)
      session.skip({ ...asked, client }, asked.item)
      return {}
    },
    alike(body): { readonly alike: string | undefined } {
      return { alike: session.alikeName(read(alikeSchema, body).reviewer) }
    },
    leave(body) {
      session.leave(read(leaveSchema, body).page)
      return {}
    },
  }
}

/** What the page asks to decide on an item, and to take a decision back. */
function decisionCalls(session: ReviewSession, asking: AskingReader): Calls {
  const { task } = session
  return {
    check(body): OutputCheck {
      const asked = read(checkSchema, body)
      return checkOf(task, found(session, asked.item), canonicalValue(asked.output))
    },
    decide: whenFree(session, (body): Recorded => {
      const asked = asking(decideSchema, body)
      const item = found(session, asked.item)
      if (item.revision !== asked.revision)
        throw new AnswerError(409, "this item changed after it was shown; look at it again", { isChanged: true })
      const answer = answerOf(task, item, asked.choice, asked.output)
      if (answer.choice.verdict === "reject" && kindOf(item).rejecting.needsReason && asked.comment.trim() === "")
        throw new AnswerError(422, "a reject needs a reason: it says what must become better")
      const { item: id, at, verdict } = session.decide(asked.reviewer, item, answer, asked.comment)
      return { item: id, at, verdict }
    }),
    last(body): Pick<Recorded, "item" | "at"> {
      const last = session.lastOf(asking(lastSchema, body).reviewer)
      if (last === undefined) throw new AnswerError(404, "there is nothing to undo")
      return { item: last.item, at: last.at }
    },
    withdraw: whenFree(session, (body, client): NextAnswer => {
      const asked = { ...asking(withdrawSchema, body), client }
      const wished = asked.decision
      const mine = session.withdraw(asked, wished.item, wished.at)
      const { item, progress } = session.next(asked, wished.item)
      const view = item && shownTo(session, item, asked.reviewer)
      return { item: view && mine && view.id === wished.item ? { ...view, mine: saidOf(mine) } : view, progress }
    }),
  }
}

/** While another command writes the rows the call is tried again, and the other reviewers are served. */
function whenFree(session: ReviewSession, call: Call): Call {
  return async (body, client) => {
    for (let tries = 0; ; tries += 1) {
      try {
        return call(body, client)
      } catch (error) {
        if (!(error instanceof LockedError) || tries >= mostTries) throw error
        await session.pause(tryAgainMs)
      }
    }
  }
}

const tryAgainMs = 100
const mostTries = 100

function shownTo(session: ReviewSession, item: ReviewItem, reviewer: string): ItemView {
  return itemView(session.task, item, {
    answers: session.answers(item),
    mine: session.mine(item, reviewer),
    nearest: session.nearest(item, shown),
  })
}

/** What is wrong with the output, and how it differs from the proposed one. */
function checkOf(task: TaskSpecification, item: ReviewItem, output: unknown): OutputCheck {
  const issues = outputIssues(task, output, item.input).map(({ path = "", message }) => ({ path, message }))
  const hasDifference =
    issues.length === 0 &&
    item.output !== undefined &&
    (task.kind === "json" || task.kind === "text" || task.kind === "chat")
  return {
    issues,
    difference: hasDifference ? differenceOf(textOf(task, item.output), textOf(task, output)) : undefined,
  }
}

function found(session: ReviewSession, id: string): ReviewItem {
  const item = session.item(id)
  if (item === undefined)
    throw new AnswerError(409, "this item is not there any more; it was changed or erased", { isChanged: true })
  return item
}

/**
 * The answer that the choice and the output make. An edit that changes nothing is what it comes to: an accept, or
 * keeping what is there.
 */
function answerOf(task: TaskSpecification, item: ReviewItem, name: string, given: unknown): Answer {
  const choices = choicesOf(item)
  const choice = choices.find((each) => each.name === name)
  if (choice === undefined)
    throw new AnswerError(422, `${name} is no answer here; allowed: ${choices.map((each) => each.name).join(", ")}`)
  if (!takesOutput(choice)) return { choice }
  const output = canonicalValue(given)
  const issues = outputIssues(task, output, item.input).map(({ path = "", message }) => ({ path, message }))
  if (issues.length > 0) throw new AnswerError(422, issues.map(({ message }) => message).join("; "), { issues })
  const same = choices.find((each) => isSame(task, output, outputAfter(item, each)))
  return same === undefined ? { choice, output } : { choice: same }
}

/** To the letter: an edit may correct nothing but capitals. The order of labels says nothing. */
function isSame(task: TaskSpecification, output: unknown, other: unknown): boolean {
  if (other === undefined) return false
  return task.kind === "multilabel" ? sameOutput(task, output, other) : canonicalJson(output) === canonicalJson(other)
}

function read<Asked>(schema: z.ZodType<Asked>, body: unknown): Asked {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const issues = result.error.issues.map(({ path, message }) => `${path.join(".") || "the request"}: ${message}`)
  throw new AnswerError(400, issues.join("; "))
}
