import { execFileSync, spawn } from "node:child_process"
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir, userInfo } from "node:os"
import { delimiter, join } from "node:path"

/** The SSH server's program; undefined where there is none. */
export const sshdProgram = ["/usr/sbin", "/usr/local/sbin", ...(process.env["PATH"] ?? "").split(delimiter)]
  .map((folder) => join(folder, "sshd"))
  .find((file) => existsSync(file))

/** A real sshd on loopback for the current user, with keys and configuration of its own; it can be cut off. */
export class SshServer {
  /** The client's configuration, as `ssh -F` takes it; the host is `runner`. */
  readonly clientConfig: string
  readonly #folder: string
  readonly #port: number

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.#port = port
    this.clientConfig = join(folder, "client-config")
  }

  static async start(): Promise<SshServer> {
    const folder = mkdtempSync(join(tmpdir(), "tl-ssh-"))
    const server = new SshServer(folder, await freePort())
    server.#writeFiles()
    await server.listen()
    return server
  }

  /** It takes connections; does nothing where it did already. */
  async listen(): Promise<void> {
    if (existsSync(this.#pidFile)) return
    // Where it separates privileges, sshd wants this folder to be there.
    if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true })
    const said = join(this.#folder, "sshd.log")
    const child = spawn(sshdProgram ?? "sshd", ["-D", "-f", join(this.#folder, "sshd_config"), "-E", said], {
      stdio: "ignore",
    })
    for (let turn = 0; !existsSync(this.#pidFile) || child.exitCode !== null; turn++) {
      if (child.exitCode !== null || turn > 500) throw new Error(`sshd did not start: ${readFileSync(said, "utf8")}`)
      await new Promise((done) => setTimeout(done, 10))
    }
  }

  /** Nobody gets in, and every connection that there was is dead; what was started there runs on. */
  async cut(): Promise<void> {
    if (!existsSync(this.#pidFile)) return
    const listener = Number(readFileSync(this.#pidFile, "utf8"))
    for (const pid of [listener, ...childrenOf(listener)]) kill(pid)
    rmSync(this.#pidFile, { force: true })
    await new Promise((done) => setTimeout(done, 50))
  }

  /** Cuts the connections that there are now; new ones are taken. */
  cutConnections(): void {
    for (const pid of childrenOf(Number(readFileSync(this.#pidFile, "utf8")))) kill(pid)
  }

  async close(): Promise<void> {
    await this.cut()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #pidFile(): string {
    return join(this.#folder, "sshd.pid")
  }

  #writeFiles(): void {
    const path = (name: string) => join(this.#folder, name)
    for (const name of ["host_key", "user_key"])
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path(name)])
    writeFileSync(path("authorized_keys"), readFileSync(path("user_key.pub")), { mode: 0o600 })
    const hostKey = readFileSync(path("host_key.pub"), "utf8")
    writeFileSync(path("known_hosts"), `[127.0.0.1]:${this.#port} ${hostKey}`)
    writeFileSync(
      path("sshd_config"),
      `ListenAddress 127.0.0.1
Port ${this.#port}
HostKey ${path("host_key")}
AuthorizedKeysFile ${path("authorized_keys")}
PidFile ${this.#pidFile}
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
`,
    )
    appendFileSync(
      this.clientConfig,
      `Host runner
  HostName 127.0.0.1
  Port ${this.#port}
  User ${userInfo().username}
  IdentityFile ${path("user_key")}
  IdentitiesOnly yes
  UserKnownHostsFile ${path("known_hosts")}
  StrictHostKeyChecking yes
  ControlMaster auto
  ControlPath ${path("control")}
  ControlPersist 30
`,
    )
  }
}

/** The processes below this one: those that serve its connections, not what was started in sessions of their own. */
function childrenOf(pid: number): number[] {
  const list = execFileSync("ps", ["-eo", "pid=,ppid=,comm="], { encoding: "utf8" })
  const rows = list.split("\n").map((line) => line.trim().split(/\s+/))
  const direct = rows.filter(([, parent, name]) => Number(parent) === pid && name?.startsWith("sshd"))
  return direct.flatMap(([child]) => [Number(child), ...childrenOf(Number(child))])
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // It has ended by itself.
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on("error", reject).listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })
}
