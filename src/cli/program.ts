import { Command, CommanderError } from "commander"
import { exitCodes, redactSecrets, ToolkitError } from "../core/errors.ts"
import { commands } from "./commands.ts"
import type { Host } from "./host.ts"
import { environment, nodeVersion, setExitCode, stderr, watchStreams } from "./machine.ts"
import { type GlobalOptions, Terminal } from "./terminal.ts"
import { plainUsage } from "./usage-errors.ts"
import { toolVersion } from "./version.ts"

/**
 * Runs the command line and sets the exit code; never throws. What a command needs is loaded when a command is called:
 * `--help` loads none of it.
 */
export async function main(given: readonly string[]): Promise<void> {
  watchStreams()
  // `tuneloop help build` is what many type first.
  if (given[0] === "help") return main([...given.slice(1), "--help"])
  const words = given
  const host = calledCommand(words) === undefined ? undefined : new (await import("./host.ts")).Host(words)
  try {
    const program = await buildProgram(words, host)
    await program.parseAsync([...words], { from: "user" })
  } catch (error) {
    setExitCode(report(error, host, words))
  } finally {
    await host?.close()
  }
}

/** The program with the called command's options; with `everything`, those of every command, for the documentation. */
export async function buildProgram(
  words: readonly string[],
  host: Host | undefined,
  everything = false,
): Promise<Command> {
  const isJson = words.includes("--json")
  const program = configure(new Command("tuneloop"), isJson)
    .description("From a task specification and 50-100 gold examples to a fine-tuned model whose worth is proven.")
    .version(toolVersion(), "-V, --version", "print the version")
    .option("--workspace <dir>", "the workspace's folder (default: where you are)")
    .option("--json", "print one JSON object instead of text")
    .option("--quiet", "no progress on stderr")
    .option("--verbose", "stack traces of bugs")
    .option("--no-color", "no colours")
    .helpCommand(false)
    .addHelpText(
      "after",
      "\nStart with: tuneloop quickstart\nExit codes: 0 done, 1 failed, 2 wrong usage or " +
        "configuration,\n3 a person must act, 4 a gate said no, 130 interrupted",
    )
  const called = calledCommand(words)
  for (const entry of commands) {
    const command = configure(program.command(entry.name).description(entry.summary), isJson)
    if (host && (everything || entry.name === called || called === "completion"))
      (await entry.load()).register(command, host)
  }
  program.hook("preAction", (_program, action) => host?.start(action.optsWithGlobals() as GlobalOptions))
  return program
}

/** Under --json what commander says of a wrong usage is kept back: `report` prints it as JSON. */
function configure(command: Command, isJson: boolean): Command {
  return command
    .exitOverride()
    .showHelpAfterError("See the same command with --help.")
    .configureHelp({ helpWidth: 80, showGlobalOptions: false })
    .configureOutput({
      writeErr: (text) => (isJson ? undefined : stderr.write(text)),
      outputError: (text, write) => write(plainUsage(text)),
    })
    .allowExcessArguments(false)
}

function calledCommand(words: readonly string[]): string | undefined {
  return words.find((word) => commands.some(({ name }) => name === word))
}

function report(error: unknown, host: Host | undefined, words: readonly string[]): number {
  const isJson = words.includes("--json")
  const terminal = host?.terminal ?? new Terminal({ json: isJson }, environment)
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.done
    const message =
      error.code === "commander.help" ? "a command is missing" : plainUsage(error.message.replace(/^error: /, ""))
    if (isJson) terminal.complain({ code: "usage", message, hint: "See the same command with --help." })
    return exitCodes.usage
  }
  if (host?.interrupted) {
    terminal.complain({
      code: "interrupted",
      message: `interrupted; ${host.whenInterrupted}`,
    })
    return exitCodes.interrupted
  }
  if (error instanceof ToolkitError) {
    const { code, message, hint, exitCode } = error
    terminal.complain({ code, message, hint })
    return exitCode
  }
  if (isRefusal(error)) {
    const hint =
      "Check the permissions, the space left and the limits of this machine, then run the same command " +
      "again: what was done is kept."
    terminal.complain({ code: "system", message: `the system refused: ${error.message}`, hint })
    return exitCodes.failure
  }
  const damage = damageOf(error)
  if (damage !== undefined) {
    terminal.complain(damage)
    return exitCodes.failure
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  terminal.complain({
    code: "bug",
    message: `this is a bug of Tuneloop ${toolVersion()} on Node ${nodeVersion}: ${redactSecrets(message)}`,
    hint: "Please report it with the command and, if you can, the output with --verbose.",
  })
  if (host?.verbose) stderr.write(`${redactSecrets(stack ?? "")}\n`)
  return exitCodes.bug
}

/**
 * What the machine refuses and no code can help: permissions, space, too many open files, a broken disk; of the ledger
 * as well (SQLite's busy, locked, read-only, I/O, full, cannot open).
 */
function isRefusal(error: unknown): error is Error {
  const { code, errcode } = error as { code?: string; errcode?: number }
  if (code === "ERR_SQLITE_ERROR") return [5, 6, 8, 10, 13, 14].includes((errcode ?? 0) & 0xff)
  return ["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EMFILE", "ENFILE", "EIO"].includes(code ?? "")
}

/** What people can do to a workspace, wherever it is met: a file in the place of a folder, links in a circle, a ledger
 * that other programs wrote into. */
function damageOf(error: unknown): { code: string; message: string; hint: string } | undefined {
  const { code, path = "a file of the workspace", message } = error as { code?: string; path?: string; message: string }
  const misplaced = {
    ENOTDIR: `${path} cannot be reached: a file stands where a folder must be`,
    EISDIR: `${path} is a folder, where a file must be`,
    ELOOP: `${path} cannot be reached: its links lead back to themselves`,
  }[code ?? ""]
  if (misplaced !== undefined)
    return { code: "system", message: misplaced, hint: "Move what stands there out of the way, or remove it." }
  if (code !== "ERR_SQLITE_ERROR") return undefined
  const hint = "`tuneloop ledger verify` says whether it is damaged; report this with --verbose where it is sound."
  return { code: "ledger", message: `the ledger cannot be used: ${message}`, hint }
}
