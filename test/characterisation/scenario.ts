import { ChatServer } from "../models/chat-server.ts"
import { BatchServer } from "../models/batch-server.ts"
import { modelPort } from "./checkout.ts"

/** What a scenario can reach besides its workspace. */
export interface Places {
  /** The checkout whose samples are copied; its command line is the one that is recorded. */
  readonly checkout: string
  /** The data beside the checkouts, where it is there. */
  readonly shared: string | undefined
  /** The folder of the recorder's own fixtures. */
  readonly fixtures: string
}

export interface Step {
  readonly words: readonly string[]
  /** What a person or a provider does before the command. */
  readonly before?: (workspace: string, server: Server | undefined) => void
  /** The file of the workspace that what the command prints goes to, for a later command. */
  readonly saveAs?: string
  readonly environment?: (workspace: string) => Readonly<Record<string, string>>
}

export type Server = ChatServer | BatchServer

/** Commands one after the other in a workspace of their own. */
export interface Scenario {
  readonly name: string
  /** What is missing on this machine, if anything. */
  readonly missing?: (places: Places) => string | undefined
  readonly prepare?: (workspace: string, places: Places) => void
  /** What answers on the port of models while the commands run. */
  readonly server?: "chat" | "batch"
  readonly steps: (places: Places) => readonly Step[]
}

export const step = (...words: string[]): Step => ({ words })
/** The command with its `--json` output. */
export const asJson = (...words: string[]): Step => ({ words: [...words, "--json"] })

/** The server of the kind on the one port; waits until another recording has left it. */
export async function startServer(kind: "chat" | "batch"): Promise<Server> {
  for (const deadline = Date.now() + 900_000; ; ) {
    try {
      return await (kind === "chat" ? ChatServer.start(modelPort) : BatchServer.start(modelPort))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || Date.now() > deadline) throw error
      await new Promise((done) => setTimeout(done, 300))
    }
  }
}
