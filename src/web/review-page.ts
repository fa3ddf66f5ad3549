import { randomBytes } from "node:crypto"
import type { TaskSpecification } from "../core/task/task.ts"
import type { StageContext } from "../stages/context.ts"
import { keptSecret } from "../store/files/private-files.ts"
import { reviewCalls } from "./review-calls.ts"
import { reviewDocument } from "./review-document.ts"
import { ReviewSession } from "./review-session.ts"
import { reviewStyle } from "./review-style.ts"
import { pageAssets } from "./shell-assets.ts"
import { servePage, type PageServer } from "./shell-server.ts"
import { shellStyle } from "./shell-style.ts"

export interface ReviewPage extends PageServer {
  /** The secret that lets in: the workspace's own, so that open pages go on when the server is started again. */
  readonly token: string
  readonly session: ReviewSession
}

/** The page for reviewers of a task, served until it is closed. */
export async function serveReview(
  context: StageContext,
  task: TaskSpecification,
  options: { readonly host: string; readonly ports: readonly number[]; readonly reviewer: string | undefined },
): Promise<ReviewPage> {
  const session = new ReviewSession(context, task, `page-${randomBytes(4).toString("hex")}`)
  const token = keptSecret(context.workspace.pageFile("token"))
  const server = await servePage({ host: options.host, token }, options.ports, {
    assets: pageAssets(reviewDocument, shellStyle + reviewStyle),
    calls: reviewCalls(session, options.reviewer),
    complain: (error) =>
      context.report.warn(`a bug of Tuneloop while it served the page: ${error.stack ?? error.message}`),
  })
  return { ...server, token, session }
}
