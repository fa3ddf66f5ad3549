import { networkInterfaces } from "node:os"
import { isIP } from "node:net"
import { InvalidArgumentError, type Command } from "commander"
import { UsageError } from "../../core/errors.ts"
import { count } from "../../evaluation/verdict/words.ts"
import type { Host } from "../host.ts"
import { readCheckedTask } from "../plugins.ts"
import { openBrowser } from "./open-browser.ts"

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
      "\nPrints the page's address, and serves it until Ctrl-C. Decisions are on the disk\nat once, in " +
        "the same log as those of spreadsheets. With another --host than this\nmachine's own, the address " +
        "has a token; whoever has it can read and decide. The\nconnection is not encrypted: use it in a " +
        "network that you trust.\nExample: tuneloop review serve ticket-triage --reviewer amara --open",
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
  const url = `http://${addressOf(options.host)}:${page.port}/${page.token === undefined ? "" : `?token=${page.token}`}`
  const waiting = page.session.waitingFor(reviewer)
  const [verb, them] = waiting === 1 ? ["waits", "it"] : ["wait", "them"]
  const text = `${count(waiting, "item")} of ${name} ${verb} for a decision; review ${them} at ${url}`
  host.print({ task: name, url, waiting }, text)
  host.terminal.note("Ctrl-C ends it; every decision is saved when the page says so")
  if (options.open)
    openBrowser(url, host.environment, () => host.terminal.warn(`no browser could be opened; open ${url}`))
  await new Promise<void>((resolve) => {
    if (host.signal.aborted) resolve()
    host.signal.addEventListener("abort", () => resolve(), { once: true })
  })
  await page.close()
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
