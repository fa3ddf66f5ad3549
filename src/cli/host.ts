import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { createInterface } from "node:readline/promises"
import type { BackendContext, BackendModule, FineTuneBackend } from "../core/contracts/backend.ts"
import type { Ledger } from "../core/contracts/ledger.ts"
import { ConfigError, exitCodes, ToolkitError, UsageError } from "../core/errors.ts"
import { formatPath, issuesOf } from "../core/parse.ts"
import type { JobSpecification } from "../core/training/job.ts"
import { readServingPrices, readTrainingPrices } from "../store/prices.ts"
import { workspaceSchema } from "../core/workspace-settings.ts"
import type { StageContext } from "../stages/context.ts"
import { SqliteLedger } from "../store/ledger/sqlite-ledger.ts"
import { Workspace } from "../store/workspace.ts"
import { askConsent, type Asker } from "./consent.ts"
import { backendProblem, load, names } from "./plugins.ts"
import * as machine from "./machine.ts"
import { safeJson, safeText } from "../core/safe-text.ts"
import { type GlobalOptions, Terminal } from "./terminal.ts"
import { packageRoot, toolVersion } from "./version.ts"

export { packageRoot, toolVersion }

/** The options of a job's backend, by the backend's own schema. */
function parseBackendOptions(name: string, { options }: BackendModule, given: unknown): unknown {
  const parsed = options.safeParse(given)
  if (parsed.success) return parsed.data
  throw new ConfigError(
    `backend.options of the ${name} backend are invalid`,
    issuesOf(options, parsed.error, given).map(({ path, message }) => ({
      path: formatPath(["backend", "options", ...path]),
      message,
    })),
  )
}

function noWorkspace(folder: string): ToolkitError {
  return new ToolkitError(`no workspace here: neither ${folder} nor a folder above it has a tuneloop.yaml or specs/`, {
    code: "no-workspace",
    exitCode: exitCodes.usage,
    hint: "Make one: tuneloop init my-workspace; or name one: --workspace DIR",
  })
}

/** What commands know of the world: the workspace, the ledger, the terminal, the clock, the environment. */
export class Host {
  readonly environment: Readonly<Record<string, string | undefined>> = machine.environment
  readonly fetch = globalThis.fetch
  terminal: Terminal
  options: GlobalOptions = {}
  interrupted = false
  /** What a command leaves behind that is interrupted, in words. */
  whenInterrupted = "what was done is kept, run the same command again to go on"
  private readonly abort = new AbortController()
  private workspaceCache: Workspace | undefined
  private readonly ledgers = new Map<Workspace, Ledger>()
  private readonly readLedgers = new Map<Workspace, Ledger>()

  constructor(words: readonly string[]) {
    // Errors before the options are parsed must already come out in the wished form.
    this.options = {
      json: words.includes("--json"),
      quiet: words.includes("--quiet"),
      verbose: words.includes("--verbose"),
      color: !words.includes("--no-color"),
    }
    this.terminal = new Terminal(this.options, machine.environment)
  }

  /** Called once, before the command's action. */
  start(options: GlobalOptions): void {
    this.options = options
    this.terminal = new Terminal(options, machine.environment)
    machine.onInterrupt(() => this.interrupt())
  }

  private interrupt(): void {
    if (this.interrupted) machine.exitNow(exitCodes.interrupted)
    this.interrupted = true
    this.abort.abort(new Error("interrupted"))
  }

  /** For a command that writes all it makes at its end, or none of it. */
  writesAllOrNothing(): void {
    this.whenInterrupted = "nothing was written"
  }

  async close(): Promise<void> {
    this.terminal.endProgress()
    for (const ledger of [...this.ledgers.values(), ...this.readLedgers.values()]) await ledger.close()
  }

  get signal(): AbortSignal {
    return this.abort.signal
  }
  get json(): boolean {
    return this.options.json === true
  }
  get verbose(): boolean {
    return this.options.verbose === true
  }

  /** The path as the user means it: relative to where they are, also when npm runs us from the package's folder. */
  path(given: string): string {
    return resolve(this.environment["INIT_CWD"] ?? machine.currentFolder(), given)
  }

  /**
   * The workspace's folder and where its name came from: the option, the environment, or where the user is, which may
   * be a folder within it.
   */
  workspaceFolder(): { folder: string; source: string; isNamed: boolean } {
    const { workspace } = this.options
    if (workspace !== undefined) return { folder: this.path(workspace), source: "--workspace", isNamed: true }
    const fromEnvironment = this.environment["TUNELOOP_WORKSPACE"]
    if (fromEnvironment) return { folder: this.path(fromEnvironment), source: "TUNELOOP_WORKSPACE", isNamed: true }
    const here = this.path(".")
    const found = Workspace.find(here) ?? here
    return { folder: found, source: found === here ? "current folder" : "a folder above", isNamed: false }
  }

  /** Whether there is a workspace; for what can do without one. */
  get hasWorkspace(): boolean {
    const { folder, isNamed } = this.workspaceFolder()
    return isNamed ? existsSync(folder) : Workspace.find(folder) === folder
  }

  /** The workspace; a ToolkitError where the user is in no workspace and named none. */
  get workspace(): Workspace {
    if (this.workspaceCache === undefined) {
      const { folder } = this.workspaceFolder()
      if (existsSync(folder) && !this.hasWorkspace) throw noWorkspace(folder)
      this.workspaceCache = Workspace.open(folder)
    }
    return this.workspaceCache
  }

  /** The stages' view of the machine, for this workspace or another. */
  context(workspace: Workspace = this.workspace): StageContext {
    return {
      workspace,
      ledger: () => this.ledgerOf(workspace),
      readLedger: () => this.ledgers.get(workspace) ?? this.readLedgerOf(workspace),
      ...this.machineContext(),
    }
  }

  /** The same for work that needs no workspace. */
  machineContext(): Omit<StageContext, "workspace" | "ledger" | "readLedger"> {
    return {
      now: machine.now,
      monotonicMs: machine.monotonicMs,
      sleep: (milliseconds) => this.sleep(milliseconds),
      signal: this.signal,
      toolVersion: toolVersion(),
      report: this.terminal,
      consent: (act) => askConsent(act, this.asker),
    }
  }

  /** How whoever runs the command agrees to pay. */
  get asker(): Asker {
    return {
      isAgreed: this.options.yes === true,
      canAsk: machine.stdin.isTTY === true,
      note: (message) => this.terminal.note(message),
      ask: (question) => this.ask(question),
    }
  }

  /** What a person at the terminal answers. */
  private async ask(question: string): Promise<string> {
    this.terminal.endProgress()
    const prompt = createInterface({ input: machine.stdin, output: machine.stderr })
    prompt.on("SIGINT", () => this.interrupt())
    try {
      return await prompt.question(question, { signal: this.signal })
    } catch (error) {
      // Ctrl-D: whoever closes the question has said nothing.
      if (this.interrupted || !(error instanceof Error) || error.name !== "AbortError") throw error
      return ""
    } finally {
      prompt.close()
    }
  }

  private ledgerOf(workspace: Workspace): Ledger {
    const ledger = this.ledgers.get(workspace) ?? SqliteLedger.open(workspace.ledgerFile, machine.now)
    this.ledgers.set(workspace, ledger)
    return ledger
  }

  private readLedgerOf(workspace: Workspace): Ledger {
    const ledger = this.readLedgers.get(workspace) ?? SqliteLedger.read(workspace.ledgerFile, machine.now)
    this.readLedgers.set(workspace, ledger)
    return ledger
  }

  /** Resolves after the time, or at once on an interrupt. */
  sleep(milliseconds: number): Promise<void> {
    return machine.sleep(milliseconds, this.signal)
  }

  /** With a signal of its own, work that an interrupt does not reach. */
  backendContext(signal = this.signal): BackendContext {
    return {
      environment: this.environment,
      packageRoot,
      ...this.workspaceContext(),
      fetch: this.fetch,
      now: machine.now,
      progress: (message) => this.terminal.progress(message),
      sleep: (milliseconds) => machine.sleep(milliseconds, signal),
      signal,
    }
  }

  /** What a backend is told of the workspace; the defaults where there is none, as for a first look at the machine. */
  private workspaceContext(): Pick<
    BackendContext,
    "cacheFolder" | "allowedHosts" | "trainingPrices" | "servingPrices"
  > {
    if (!this.hasWorkspace) return { allowedHosts: workspaceSchema.parse({}).allowedHosts }
    return {
      cacheFolder: this.workspace.cacheFolder,
      allowedHosts: this.workspace.settings.allowedHosts,
      trainingPrices: readTrainingPrices(this.workspace),
      servingPrices: readServingPrices(this.workspace),
    }
  }

  /** The backend of a job or a plan, or the one that a person names. */
  async backend(given: JobSpecification["backend"], signal = this.signal): Promise<FineTuneBackend> {
    const choice = this.workspace.backendOf(given)
    const problem = backendProblem(choice.name, [
      ...names("backends"),
      ...Object.keys(this.workspace.settings.backends),
    ])
    if (problem !== undefined)
      throw new UsageError(problem, "Name one that is open, in backend.name of the job or on the command line.")
    const module = await load<BackendModule>("backends", choice.name)
    return module.create(this.backendContext(signal), parseBackendOptions(choice.name, module, choice.options))
  }

  /**
   * The choice with all defaults written out, its backend's and those of a profile; as it is where its options are none
   * of the backend's now.
   */
  readonly withDefaults = async (choice: JobSpecification["backend"]): Promise<JobSpecification["backend"]> => {
    // Whoever opens a backend of no known name says so.
    if (!names("backends").includes(choice.name)) return choice
    const module = await load<BackendModule>("backends", choice.name)
    const { data } = module.options.safeParse(choice.options)
    if (data === undefined) return choice
    const resolved = module.resolved?.({ packageRoot }, data) ?? data
    return { ...choice, options: { ...(resolved as JobSpecification["backend"]["options"]) } }
  }

  /** What to do after the command, where a person reads it. */
  next(step: string): void {
    if (!this.json) this.terminal.note(`Next: ${step}`)
  }

  /** Prints the command's result: one JSON object under --json, else the text. */
  print(data: Readonly<Record<string, unknown>>, text: string): void {
    this.terminal.endProgress()
    machine.stdout.write(
      this.json
        ? `${safeJson({ schemaVersion: 1, ...data })}\n`
        : text === ""
          ? ""
          : `${safeText(text, { colour: this.terminal.outputColour })}\n`,
    )
  }
}
