import { cpSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { backendContract } from "../backends/contract.ts"
import { runnerCase } from "../backends/runner-case.ts"
import { SshServer, sshdProgram } from "../backends/sshd.ts"

const isSkipped = sshdProgram === undefined && process.env["CI"] === undefined
const why = isSkipped ? " (skipped: there is no sshd; apt-get install openssh-server)" : ""

// One server and one connection for all tests of this file: a connection takes longer than a test.
let server: SshServer | undefined
afterAll(() => server?.close())

backendContract(
  `over ssh${why}`,
  async () => {
    server ??= await SshServer.start()
    const sshd = server
    const root = mkdtempSync(join(tmpdir(), "tuneloop there-"))
    const subject = await runnerCase(join(import.meta.dirname, "..", "backends", "open-ssh.ts"), { root })
    cpSync(sshd.clientConfig, join(subject.workspace, "ssh-config"))
    return {
      ...subject,
      setReachable: (isReachable) => (isReachable ? sshd.listen() : sshd.cut()),
      async close() {
        await subject.close()
        await sshd.listen()
        rmSync(root, { recursive: true, force: true })
      },
    }
  },
  { isSkipped },
)
