import type { DatabaseSync } from "node:sqlite"
import { digest } from "../../core/canonical.ts"
import { erasedRequest } from "./request-texts.ts"
import { select } from "./sqlite-statements.ts"

/**
 * What is wrong with the database: its own check, sequences of events without gaps, requests under the digest of their
 * content.
 */
export function verifyDatabase(database: DatabaseSync): string[] {
  const integrity = select<{ integrity_check: string }>(database, "pragma integrity_check")
    .map((row) => row.integrity_check)
    .filter((line) => line !== "ok")
  const foreign = select<object>(database, "pragma foreign_key_check").map(
    (row) => `an event of an unknown run: ${JSON.stringify(row)}`,
  )
  return [...integrity, ...foreign, ...gapsInEvents(database), ...changedRequests(database)]
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

function changedRequests(database: DatabaseSync): string[] {
  return select<{ key: string; request: string }>(database, "select key, request from requests").flatMap(
    ({ key, request }) =>
      request === erasedRequest || digest(JSON.parse(request)) === key
        ? []
        : [`request ${key} is not the digest of its content`],
  )
}
