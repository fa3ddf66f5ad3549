import { randomBytes } from "node:crypto"
import type { TaskSpecification } from "../core/task/task.ts"
import type { StageContext } from "../stages/context.ts"
import { reviewCalls } from "./review-calls.ts"
import { reviewDocument } from "./review-document.ts"
import { ReviewSession } from "./review-session.ts"
import { reviewStyle } from "./review-style.ts"
import { pageAssets } from "./shell-assets.ts"
import { isLoopback } from "./shell-guard.ts"
import { servePage, type PageServer } from "./shell-server.ts"
import { shellStyle } from "./shell-style.ts"

export interface ReviewPage extends PageServer {
  /** The secret that lets in; undefined on a loopback address, where this machine's users come in without. */
  readonly token: string | undefined
  readonly session: ReviewSession
}

/** The page for reviewers of a task, served until it is closed. */
export async function serveReview(
  context: StageContext,
  task: TaskSpecification,
  options: { readonly host: string; readonly ports: readonly number[]; readonly reviewer: string | undefined },
): Promise<ReviewPage> {
  const session = new ReviewSession(context, task, `page-${randomBytes(4).toString("hex")}`)
  const token = isLoopback(options.host) ? undefined : randomBytes(32).toString("base64url")
  const server = await servePage({ host: options.host, token }, options.ports, {
    assets: pageAssets(reviewDocument, shellStyle + reviewStyle),
    calls: reviewCalls(session, options.reviewer),
    complain: (error) =>
      context.report.warn(`a bug of Tuneloop while it served the page: ${error.stack ?? error.message}`),
  })
  return { ...server, token, session }
}
