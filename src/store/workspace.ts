import { accessSync, constants, existsSync, readdirSync, realpathSync, statSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { ConfigError, DataError, ToolkitError } from "../core/errors.ts"
import { nameSchema } from "../core/names.ts"
import { jobSchema, type JobSpecification } from "../core/training/job.ts"
import { workspaceSchema, type WorkspaceSettings } from "../core/workspace-settings.ts"
import { nearest, parseYaml, show, type PathIssue } from "../core/parse.ts"
import { taskSchema, type TaskSpecification } from "../core/task/task.ts"
import { makeFolder, readText } from "./files/files.ts"

/** A folder with specs, jobs and datasets, and where everything in it lies; all paths absolute. */
export class Workspace {
  readonly root: string
  readonly settings: WorkspaceSettings

  private constructor(root: string, settings: WorkspaceSettings) {
    this.root = root
    this.settings = settings
  }

  /** The workspace of the folder. Its `tuneloop.yaml` may be absent; a wrong one is a ConfigError. */
  static open(folder: string): Workspace {
    const root = resolve(folder)
    if (!existsSync(root))
      throw new DataError(`there is no workspace folder ${root}`, [], `Make one: tuneloop init ${folder}`)
    if (!statSync(root).isDirectory())
      throw new DataError(
        `the workspace ${root} is a file, not a folder`,
        [],
        "Name the folder that holds specs/ and jobs/.",
      )
    if (!isReadable(root))
      throw new DataError(`not allowed to read the workspace ${root}`, [], "Check the folder's permissions.")
    const file = join(root, "tuneloop.yaml")
    const text = existsSync(file) ? readText(file) : ""
    // Every key is optional: a file in which all are commented out is fine.
    const isEmpty = text.split("\n").every((line) => /^\s*(#|$)/.test(line))
    const settings = isEmpty
      ? workspaceSchema.parse({})
      : parseYaml(workspaceSchema, text, file, "Edit the file; `tuneloop schema workspace` prints what is allowed.")
    return new Workspace(realpathSync(root), settings)
  }

  /**
   * The nearest folder at or above this one that is a workspace; undefined where none is. Above, a folder of
   * specifications alone is not enough: other tools have such folders too.
   */
  static find(from: string): string | undefined {
    const start = resolve(from)
    for (let folder = start; ; folder = dirname(folder)) {
      const has = (name: string) => existsSync(join(folder, name))
      const isTask = yamlNames(join(folder, "specs")).length > 0
      const isBesideWork = ["datasets", "jobs", ".tuneloop"].some(has)
      if (has("tuneloop.yaml") || (isTask && (folder === start || isBesideWork))) return folder
      if (folder === dirname(folder)) return undefined
    }
  }

  get ledgerFile(): string {
    return resolve(this.root, this.settings.ledger)
  }
  /** Held while the rows of a task are read, changed and written. */
  lockFile(task: string): string {
    return join(dirname(this.ledgerFile), "locks", `${task}.lock`)
  }
  /** What lies here may be lost: it is made again. */
  get cacheFolder(): string {
    return join(dirname(this.ledgerFile), "cache")
  }
  /** What lets people into the local page; no other user of the machine may read it. */
  pageFile(name: string): string {
    return join(this.root, ".tuneloop", "page", name)
  }
  get runsFolder(): string {
    return join(this.root, "jobs", "runs")
  }
  specFile(task: string): string {
    return join(this.root, "specs", `${task}.yaml`)
  }
  jobFile(job: string): string {
    return join(this.root, "jobs", `${job}.yaml`)
  }
  /** Where editors find the JSON schema of a file that people write. */
  schemaFile(name: string): string {
    return join(this.root, "schemas", `${name}.json`)
  }
  taskFolder(task: string): string {
    return join(this.root, "datasets", task)
  }
  runFolder(run: string): string {
    return join(this.runsFolder, run)
  }
  /** The absolute path of one that a person in the workspace wrote. */
  absolute(path: string): string {
    return resolve(this.root, path)
  }
  /** The path as a person in the workspace would write it. */
  show(path: string): string {
    const short = relative(this.root, path)
    return short.startsWith("..") ? path : short || "."
  }

  /** What to say where there is no task: the folder may be the wrong one. */
  get withoutTasks(): string {
    return (
      `the workspace ${this.root} has no tasks\nWrite specs/<task>.yaml (\`tuneloop schema task\` prints ` +
      "what it may hold), or name another workspace: --workspace DIR"
    )
  }

  tasks(): string[] {
    return yamlNames(join(this.root, "specs"))
  }
  jobs(): string[] {
    return yamlNames(join(this.root, "jobs"))
  }

  /** The names of the jobs that train the task; what is wrong with a job is said where it is used. */
  jobsOf(task: string): string[] {
    return this.jobs().filter((name) => {
      try {
        return this.readJob(name).task === task
      } catch (error) {
        if (error instanceof ToolkitError) return false
        throw error
      }
    })
  }

  /** The task's specification; an unknown task lists those that exist. */
  readTask(
    task: string,
    more?: (raw: unknown, value: TaskSpecification | undefined) => readonly PathIssue[],
  ): TaskSpecification {
    const file = this.fileOf("task", task)
    const specification = parseYaml(
      taskSchema,
      readText(file),
      this.show(file),
      `Edit the file and run: tuneloop spec check ${task}`,
      more,
    )
    if (specification.task !== task) throw misnamed(this.show(file), "task", specification.task, task)
    return specification
  }

  /** The job; an unknown job lists those that exist. */
  readJob(
    job: string,
    more?: (raw: unknown, value: JobSpecification | undefined) => readonly PathIssue[],
  ): JobSpecification {
    const file = this.fileOf("job", job)
    const specification = parseYaml(
      jobSchema,
      readText(file),
      this.show(file),
      "Edit the file; `tuneloop schema job` prints what is allowed.",
      more && ((raw, value) => more(raw, value && this.withBackend(value))),
    )
    if (specification.job !== job) throw misnamed(this.show(file), "job", specification.job, job)
    return this.withBackend(specification)
  }

  /** The keys of `method` and `hyperparameters` that the job's file says itself, at their defaults as well. */
  writtenSettings(job: string): string[] {
    const keys: string[] = []
    this.readJob(job, (raw, value) => {
      if (value === undefined) return []
      const { method = {}, hyperparameters = {} } = raw as Record<string, object | undefined>
      keys.push(...Object.keys(method), ...Object.keys(hyperparameters))
      return []
    })
    return keys
  }

  /** A name of the workspace's own stands for a backend with its options, to which those given are added. */
  backendOf({ name, options }: JobSpecification["backend"]): JobSpecification["backend"] {
    const own = Object.hasOwn(this.settings.backends, name) ? this.settings.backends[name] : undefined
    return own === undefined ? { name, options } : { name: own.name, options: { ...own.options, ...options } }
  }

  private withBackend(job: JobSpecification): JobSpecification {
    return { ...job, backend: this.backendOf(job.backend) }
  }

  /**
   * The file of a name that someone gave. A name that is none would reach other files (`../jobs/x`): it is refused
   * before it becomes a path.
   */
  private fileOf(kind: "task" | "job", name: string): string {
    const existing = kind === "task" ? this.tasks() : this.jobs()
    const pathOf = (given: string) => (kind === "task" ? this.specFile(given) : this.jobFile(given))
    const rule = nameSchema.safeParse(name)
    if (rule.success && existsSync(pathOf(name))) return pathOf(name)
    if (rule.success) throw unknownName(kind, name, existing, this.show(pathOf(name)))
    const issue = rule.error.issues[0]?.message ?? ""
    if (existing.includes(name)) throw unusableName(kind, this.show(pathOf(name)), name, issue)
    throw unknownName(kind, name, existing, this.show(pathOf(`<${kind}>`)), `; a name ${issue}`)
  }

  makeFolders(): void {
    for (const folder of ["specs", "jobs", "datasets"]) makeFolder(join(this.root, folder))
  }
}

/** Files in a folder that may not be read look as if they were not there. */
function isReadable(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

function yamlNames(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => name.slice(0, -".yaml".length))
    .sort()
}

function unknownName(kind: string, name: string, existing: readonly string[], file: string, rule = ""): ToolkitError {
  // Who types the path of the file means its name.
  const meant = nearest(name.replace(/^.*[/\\]|\.ya?ml$/g, ""), existing)
  const hint =
    existing.length === 0
      ? `Write ${file}; \`tuneloop schema ${kind}\` prints what it may hold. \`--workspace DIR\` names ` +
        "another workspace."
      : `Write ${file}, or name one of them.`
  return new ToolkitError(
    `there is no ${kind} ${show(name)}${rule}; ` +
      `${existing.length === 0 ? `the workspace has none` : `there are: ${existing.join(", ")}`}${meant ? `; did you mean ${show(meant)}?` : ""}`,
    {
      code: `unknown-${kind}`,
      hint,
      exitCode: 2,
    },
  )
}

function unusableName(kind: string, file: string, name: string, rule: string): ConfigError {
  return new ConfigError(
    `${file} cannot be used: 1 problem`,
    [{ file, message: `the name of a ${kind} ${rule}, got ${show(name)}` }],
    `Rename the file.`,
  )
}

function misnamed(file: string, key: string, got: string, expected: string): ConfigError {
  return new ConfigError(
    `${file} is invalid: 1 problem`,
    [{ file, path: key, message: `got ${show(got)}; must be ${show(expected)}, as the file is called` }],
    `Edit the file.`,
  )
}
