import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { pipeline } from "node:stream/promises"
import { parseStat } from "../../src/backends/_processes.ts"
import type { DetachedCommand, FilePart, ProcessRef, Transport } from "../../src/backends/_transport.ts"
import { JobMayExistError, ProviderError } from "../../src/core/errors.ts"

/** The system's ssh to a host, with files by tar: nothing but a shell, tar and setsid is needed there. */
export class SshTransport implements Transport {
  readonly name = "ssh"
  readonly #words: readonly string[]
  readonly #root: string

  /** Files of this machine lie below `root` there, by their whole paths. */
  constructor(options: { readonly host: string; readonly root: string; readonly config: string }) {
    this.#root = options.root
    this.#words = ["-F", options.config, "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "--", options.host]
  }

  place(local: string): string {
    return `${this.#root}${local}`
  }

  async put(local: string, remote: string): Promise<void> {
    // Ends the archive: without it, one that was cut between two files would look whole.
    const mark = mkdtempSync(join(tmpdir(), "tuneloop-put-"))
    writeFileSync(join(mark, endMark), "")
    try {
      const tar = ["-cf", "-", "-C", dirname(local), `./${basename(local)}`, "-C", mark, endMark]
      await this.#pipe(putScript, [remote, basename(local)], tar, "in")
    } finally {
      rmSync(mark, { recursive: true, force: true })
    }
  }

  async get(remote: string, local: string): Promise<void> {
    await mkdir(dirname(local), { recursive: true })
    const arriving = await mkdtemp(`${local}.`)
    try {
      await this.#pipe(getScript, [dirname(remote), basename(remote)], ["-xf", "-", "-C", arriving], "out")
      await rm(local, { recursive: true, force: true })
      await rename(join(arriving, basename(remote)), local)
    } finally {
      await rm(arriving, { recursive: true, force: true })
    }
  }

  async start({ words, environment, folder, log }: DetachedCommand): Promise<ProcessRef> {
    const exports = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}\n`)
    try {
      // By standard input: whatever stands in the environment is in nobody's list of processes.
      const script = `set -- ${[folder, log, ...words].map(quote).join(" ")}\n${exports.join("")}${startScript}`
      const [pid, ticks] = (await this.#run(["sh", "-s"], script)).toString().trim().split(" ")
      return { pid: Number(pid), startedTicks: ticks ? Number(ticks) : null }
    } catch (error) {
      if (!(error instanceof ProviderError) || !error.isRetryable) throw error
      throw new JobMayExistError(error.message, { provider: "ssh", isRetryable: true, cause: error })
    }
  }

  async read(remote: string, offset = 0): Promise<FilePart | undefined> {
    const answer = await this.#run(["sh", "-c", readScript, "sh", remote, String(offset)])
    if (answer.length === 0) return undefined
    const end = answer.indexOf(10)
    return { size: Number(answer.subarray(0, end).toString()), bytes: answer.subarray(end + 1) }
  }

  async isAlive({ pid, startedTicks }: ProcessRef): Promise<boolean> {
    const text = (await this.#run(["sh", "-c", statScript, "sh", String(pid)])).toString()
    if (text === "") return false
    const stat = parseStat(text)
    return !stat.isZombie && (startedTicks === null || stat.startedTicks === startedTicks)
  }

  async signal(process: ProcessRef, signal: "TERM" | "KILL"): Promise<void> {
    if (await this.isAlive(process))
      await this.#run(["sh", "-c", 'kill -s "$1" -- "-$2" 2>/dev/null || :', "sh", signal, String(process.pid)])
  }

  /** What the remote command writes. */
  async #run(words: readonly string[], input = ""): Promise<Buffer> {
    const ssh = spawn("ssh", [...this.#words, words.map(quote).join(" ")], { stdio: "pipe" })
    const chunks: Buffer[] = []
    ssh.stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
    const ended = Promise.all([outcome(ssh), once(ssh.stdout, "end")])
    ssh.stdin.on("error", () => undefined).end(input)
    await ended
    return Buffer.concat(chunks)
  }

  /** Files from a tar here to the script there, or the other way round; both have to end well. */
  async #pipe(script: string, words: readonly string[], tarWords: readonly string[], to: "in" | "out"): Promise<void> {
    const ssh = spawn("ssh", [...this.#words, ["sh", "-c", script, "sh", ...words].map(quote).join(" ")], {
      stdio: "pipe",
    })
    const tar = spawn("tar", tarWords, { stdio: "pipe" })
    const [from, into] = to === "in" ? [tar, ssh] : [ssh, tar]
    // Where one dies, the other is not left waiting for it; how they ended is what counts.
    const flow = pipeline(from.stdout, into.stdin).catch(() => undefined)
    const [, ...ends] = await Promise.allSettled([flow, outcome(ssh), outcome(tar)])
    for (const end of ends) if (end.status === "rejected") throw end.reason
  }
}

const endMark = ".tuneloop-end"

const putScript = `set -e
part="$1.part.$$"; trap 'rm -rf "$part"' EXIT
mkdir -p "$part"; tar -xf - -C "$part"; [ -e "$part/${endMark}" ]
if [ -d "$1" ]; then rm -rf "$1"; fi
mv -T "$part/$2" "$1"`
const getScript = `cd "$1" && tar -cf - -- "$2"`
const startScript = `set -e
folder=$1 log=$2; shift 2
mkdir -p "$folder" "$(dirname "$log")"; cd "$folder"
setsid "$@" </dev/null >>"$log" 2>&1 &
echo "$! $(sed 's/.*) //' "/proc/$!/stat" | cut -d ' ' -f 20)"
`
// A file that is not there answers with nothing at all; an empty one with its size.
const readScript = `[ -e "$1" ] || exit 0
size=$(wc -c <"$1"); echo "$size"
[ "$2" -ge "$size" ] || tail -c "+$(($2 + 1))" -- "$1"`
const statScript = `cat "/proc/$1/stat" 2>/dev/null || :`

/** The word as the other machine's shell reads it back. */
function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** Resolves when the program has ended well; ssh's own end code for a lost connection may be tried again. */
async function outcome(child: ReturnType<typeof spawn>): Promise<void> {
  let said = ""
  child.stderr?.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000)
  })
  // Not until all is closed: a connection that stays open for the next call may hold on to the standard error.
  const [code] = (await once(child, "exit")) as [number | null]
  if (code === 0) return
  const isLost = code === 255 || code === null
  throw new ProviderError(`${isLost ? "cannot reach the host" : `the host answered ${code}`}: ${said.trim()}`, {
    provider: "ssh",
    isRetryable: isLost,
  })
}
