import type { DatabaseSync } from "node:sqlite"
import { digest } from "../../core/canonical.ts"
import { sentEventSchema } from "../../core/training/run-event-schema.ts"
import { keptEvent, problemsOf, type EventRow } from "./kept-json.ts"
import { answerSchema, erasedRequest, keptAnswer, keptRequest, requestSchema } from "./request-texts.ts"
import { select } from "./sqlite-statements.ts"

/**
 * What is wrong with the database: its own check, sequences of events without gaps, events and answers that can be
 * read, requests under the digest of their content.
 */
export function verifyDatabase(database: DatabaseSync): string[] {
  const integrity = select<{ integrity_check: string }>(database, "pragma integrity_check")
    .map((row) => row.integrity_check)
    .filter((line) => line !== "ok")
  const foreign = select<object>(database, "pragma foreign_key_check").map(
    (row) => `an event of an unknown run: ${JSON.stringify(row)}`,
  )
  return [...integrity, ...foreign, ...gapsInEvents(database), ...damagedEvents(database), ...damagedRequests(database)]
}

/** The first gap of each run, the newest run first. */
function gapsInEvents(database: DatabaseSync): string[] {
  return select<{ run: string }>(database, "select run from runs order by created_at desc, run desc").flatMap(
    ({ run }) =>
      select<{ sequence: number }>(database, "select sequence from run_events where run = ? order by sequence", run)
        .flatMap(({ sequence }, index) =>
          sequence === index + 1 ? [] : [`run ${run}: event ${sequence} stands where ${index + 1} should`],
        )
        .slice(0, 1),
  )
}

function damagedEvents(database: DatabaseSync): string[] {
  return select<EventRow & { run: string }>(
    database,
    "select run, sequence, type, body from run_events order by run, sequence",
  ).flatMap((row) => problemsOf(keptEvent(row.run, row), sentEventSchema))
}

function damagedRequests(database: DatabaseSync): string[] {
  return select<{ key: string; request: string; answer: string | null }>(
    database,
    "select key, request, answer from requests",
  ).flatMap(({ key, request, answer }) => [
    ...(request === erasedRequest ? [] : requestProblems(key, request)),
    ...(answer === null ? [] : problemsOf(keptAnswer(key, answer), answerSchema)),
  ])
}

function requestProblems(key: string, text: string): string[] {
  const request = keptRequest(key, text)
  if (request.value !== undefined && digest(request.value) !== key)
    return [`request ${key} is not the digest of its content`]
  return problemsOf(request, requestSchema)
}
