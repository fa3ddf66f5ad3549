import { z } from "zod"
import { canonicalJson, canonicalValue } from "../core/canonical.ts"
import { outputIssues, sameOutput } from "../core/task/output.ts"
import type { TaskSpecification } from "../core/task/task.ts"
import { choicesOf, type Answer } from "../stages/spreadsheet/answer.ts"
import type { ReviewItem } from "../stages/standing/review-items.ts"
import { differenceOf } from "./review-difference.ts"
import type { ReviewSession } from "./review-session.ts"
import { itemView, needsReason, saidOf, taskView, textOf } from "./review-view.ts"
import type { NextAnswer, OutputCheck, Recorded, TaskView } from "./review-wire.ts"
import { AnswerError, type Calls } from "./shell-server.ts"

const shown = 3

const who = { reviewer: z.string().trim().min(1).max(100), page: z.string().min(8).max(64) }
const nextSchema = z.strictObject({ ...who, item: z.string().optional() })
const skipSchema = z.strictObject({ ...who, item: z.string() })
const decideSchema = z.strictObject({
  ...who,
  item: z.string(),
  revision: z.string(),
  choice: z.enum(["accept", "edit", "reject", "a", "b", "both"]),
  output: z.unknown().optional(),
  comment: z.string().max(10_000).default(""),
})
const lastSchema = z.strictObject(who)
const withdrawSchema = z.strictObject({ ...who, decision: z.strictObject({ item: z.string(), at: z.string() }) })
const checkSchema = z.strictObject({ item: z.string(), output: z.unknown() })
const leaveSchema = z.strictObject({ page: who.page })

/**
 * What the page for reviewers may ask for. `reviewer` is who reviews where the command line says so: the page cannot be
 * anybody else then.
 */
export function reviewCalls(session: ReviewSession, reviewer: string | undefined): Calls {
  const { task } = session
  const asking = <Asked extends { reviewer: string }>(schema: z.ZodType<Asked>, body: unknown): Asked => {
    const asked = read(schema, body)
    return reviewer === undefined ? asked : { ...asked, reviewer }
  }
  const show = (item: ReviewItem, by: string) =>
    itemView(task, item, {
      answers: session.answers(item),
      mine: session.mine(item, by),
      nearest: session.nearest(item, shown),
    })
  return {
    task: (): TaskView => taskView(task, reviewer),
    next(body): NextAnswer {
      const asked = asking(nextSchema, body)
      const { item, progress } = session.next(asked, asked.item)
      return { item: item && show(item, asked.reviewer), progress }
    },
    skip(body) {
      const asked = asking(skipSchema, body)
      session.skip(asked, asked.item)
      return {}
    },
    leave(body) {
      session.leave(read(leaveSchema, body).page)
      return {}
    },
    check(body): OutputCheck {
      const asked = read(checkSchema, body)
      const item = found(session, asked.item)
      const output = canonicalValue(asked.output)
      const issues = outputIssues(task, output).map(({ path = "", message }) => ({ path, message }))
      const hasDifference =
        issues.length === 0 &&
        item.output !== undefined &&
        (task.kind === "json" || task.kind === "text" || task.kind === "chat")
      return {
        issues,
        difference: hasDifference ? differenceOf(textOf(task, item.output), textOf(task, output)) : undefined,
      }
    },
    decide(body): Recorded {
      const asked = asking(decideSchema, body)
      const item = found(session, asked.item)
      if (item.revision !== asked.revision)
        throw new AnswerError(409, "this item changed after it was shown; look at it again", { isChanged: true })
      const answer = answerOf(task, item, asked.choice, asked.output)
      if (answer.choice === "reject" && needsReason(item) && asked.comment.trim() === "")
        throw new AnswerError(422, "a reject needs a reason: it says what must become better")
      const { item: id, at, verdict } = session.decide(asked.reviewer, item, answer, asked.comment)
      return { item: id, at, verdict }
    },
    last(body): Pick<Recorded, "item" | "at"> {
      const last = session.lastOf(asking(lastSchema, body).reviewer)
      if (last === undefined) throw new AnswerError(404, "there is nothing to undo")
      return { item: last.item, at: last.at }
    },
    withdraw(body): NextAnswer {
      const asked = asking(withdrawSchema, body)
      const wished = asked.decision
      const mine = session.withdraw(asked, wished.item, wished.at)
      const { item, progress } = session.next(asked, wished.item)
      const view = item && show(item, asked.reviewer)
      return { item: view && mine && view.id === wished.item ? { ...view, mine: saidOf(mine) } : view, progress }
    },
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
function answerOf(task: TaskSpecification, item: ReviewItem, choice: Answer["choice"], given: unknown): Answer {
  if (!choicesOf(item).includes(choice))
    throw new AnswerError(422, `${choice} is no answer here; allowed: ${choicesOf(item).join(", ")}`)
  if (choice !== "edit") return { choice }
  const output = canonicalValue(given)
  const issues = outputIssues(task, output).map(({ path = "", message }) => ({ path, message }))
  if (issues.length > 0) throw new AnswerError(422, issues.map(({ message }) => message).join("; "), { issues })
  const isConflict = item.kind === "conflict"
  if (isSame(task, output, item.output)) return { choice: isConflict ? "a" : "accept" }
  const keeps = isConflict
    ? "b"
    : item.kind === "label-error" || item.disputed?.kind === "label-error"
      ? "reject"
      : undefined
  return keeps !== undefined && isSame(task, output, item.current) ? { choice: keeps } : { choice, output }
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
