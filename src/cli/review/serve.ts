import { networkInterfaces } from "node:os"
import { isIP } from "node:net"
import { InvalidArgumentError, type Command } from "commander"
import { UsageError } from "../../core/errors.ts"
import { count } from "../../evaluation/verdict/words.ts"
import { removePrivate, writePrivately } from "../../store/files/private-files.ts"
import type { Host } from "../host.ts"
import { readCheckedTask } from "../plugins.ts"
import { leadingTo, openBrowser } from "./open-browser.ts"

interface ServeOptions {
  readonly host: string
  readonly port?: number
  readonly reviewer?: string
  readonly open?: boolean
}

const usualPort = 4600

/** `review serve`: the page for reviewers, until Ctrl-C. */
export function registerServe(command: Command, host: Host): void {
  command
    .command("serve")
    .argument("<task>", "the task's name")
    .option("--host <address>", "the address to listen on", "127.0.0.1")
    .option("--port <n>", `the port; 0 takes a free one (default: ${usualPort}, or a free one)`, port)
    .option("--reviewer <name>", "who decides (default: the page asks)")
    .option("--open", "open the page in the browser")
    .description("review on a local page, one item at a time, by keyboard")
    .addHelpText(
      "after",
      "\n" +
        "Serves the page until Ctrl-C. Decisions are on the disk at once, in the same\n" +
        "log as those of spreadsheets. The page asks for a token, on this machine as\n" +
        "well; whoever has it can read and decide. --open gives it to the browser; else\n" +
        "the terminal shows the address that has it, on stderr. It stays the same until\n" +
        "you delete its file, .tuneloop/page/token. With another --host the connection\n" +
        "is not encrypted: use that in a network that you trust.\n" +
        "Example: tuneloop review serve ticket-triage --reviewer amara --open",
    )
    .action((task: string, options: ServeOptions) => serve(host, task, options))
}

async function serve(host: Host, name: string, options: ServeOptions): Promise<void> {
  const task = await readCheckedTask(host.workspace, name)
  const reviewer = options.reviewer?.trim()
  if (reviewer === "")
    throw new UsageError("the name of the reviewer is empty", "Give --reviewer a name, or leave it out: the page asks.")
  const { serveReview } = await import("../../web/review-page.ts")
  const ports = options.port === undefined ? [usualPort, 0] : [options.port]
  const page = await serveReview(host.context(), task, { host: options.host, ports, reviewer })
  const url = `http://${addressOf(options.host)}:${page.port}/`
  const waiting = page.session.waitingFor(reviewer)
  const [verb, them] = waiting === 1 ? ["waits", "it"] : ["wait", "them"]
  const text = `${count(waiting, "item")} of ${name} ${verb} for a decision; review ${them} at ${url}`
  const tokenFile = host.workspace.show(host.workspace.pageFile("token"))
  host.print({ task: name, url, waiting, tokenFile }, text)
  host.terminal.note("Ctrl-C ends it; every decision is saved when the page says so")
  // Where it goes to a file, stderr is a log, and the token stands in no log.
  const way = host.terminal.isTerminal
    ? `open it by ${url}?token=${page.token}`
    : `open it by its address and ?token=, with the first line of ${tokenFile}`
  const leading = host.workspace.pageFile(`open-${page.port}.html`)
  if (options.open) {
    writePrivately(leading, () => leadingTo(`${url}?token=${page.token}`))
    openBrowser(leading, host.environment, () => host.terminal.warn(`no browser could be opened; ${way}`))
  } else host.terminal.note(way)
  await new Promise<void>((resolve) => {
    if (host.signal.aborted) resolve()
    host.signal.addEventListener("abort", () => resolve(), { once: true })
  })
  await page.close()
  removePrivate(leading)
  const { files } = page.session
  host.terminal.note(
    files.length === 0 ? "ended; nothing was decided" : `ended; the decisions are in ${files.join(", ")}`,
  )
}

/** The address as a browser takes it; for all addresses of the machine, the first that others reach. */
function addressOf(given: string): string {
  const isEvery = given === "0.0.0.0" || given === "::"
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address !== undefined && !address.internal && address.family === "IPv4")
  const address = isEvery ? (outside?.address ?? "127.0.0.1") : given
  return isIP(address) === 6 ? `[${address}]` : address
}

function port(text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number > 65_535) throw new InvalidArgumentError("must be a port from 0 to 65535")
  return number
}
