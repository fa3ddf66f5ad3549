// `npm run docs`: writes the parts of the documentation that follow from the code. A test fails when one of them is
// stale.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import type { Command } from "commander"
import { parse } from "yaml"
import { z } from "zod"
import type { BackendModule } from "../src/core/contracts/backend.ts"
import { exitCodes } from "../src/core/errors.ts"
import type { Contender } from "../src/core/contracts/contender.ts"
import type { Filter } from "../src/core/contracts/filter.ts"
import type { DatasetFormat } from "../src/core/contracts/format.ts"
import type { Metric } from "../src/core/contracts/metric.ts"
import type { ModelModule } from "../src/core/contracts/model.ts"
import type { Strategy } from "../src/core/contracts/strategy.ts"
import { jsonSchemaOf, schemas, type SchemaName } from "../src/cli/commands/schema.ts"
import { Host } from "../src/cli/host.ts"
import { load, names } from "../src/cli/plugins.ts"
import { buildProgram } from "../src/cli/program.ts"
import { backendsText } from "./backends-page.ts"
import { keysOf, specificationText, table, type JsonSchema } from "./specification-table.ts"
import { errorMeanings } from "./error-meanings.ts"

const docs = import.meta.dirname
const note = "<!-- Written by `npm run docs`; do not edit. -->"

/** Every generated file by its path in docs/, with its text. */
export async function generatedFiles(): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const name of Object.keys(schemas) as SchemaName[])
    files.set(`schemas/${name}.json`, `${JSON.stringify(jsonSchemaOf(name), null, 2)}\n`)
  files.set("cli.md", await commandText())
  files.set(
    "specification.md",
    page(
      "The task file and the job file",
      specificationIntroduction,
      specificationText(schemaOf("task"), schemaOf("job"), schemaOf("workspace")),
    ),
  )
  files.set("plug-ins.md", await plugInText())
  files.set("backends.md", page("Backends", await backendsText(await loadAll<BackendModule>("backends"))))
  files.set("errors-and-exit-codes.md", errorText())
  files.set("glossary.md", glossaryText())
  return files
}

/** The program with every command registered. */
export async function fullProgram(): Promise<Command> {
  return buildProgram([], new Host([]), true)
}

const specificationIntroduction = `Every key of \`specs/<task>.yaml\`, \`jobs/<job>.yaml\` and \`tuneloop.yaml\`. An unknown key is an error, with a suggestion.
\`tuneloop schema task\` prints the JSON Schema; the files in [schemas/](schemas/) are the same. A file that begins with
\`# yaml-language-server: $schema=<path of the schema>\` is completed by editors. \`tuneloop init\` puts the schemas into the
workspace's folder \`schemas/\`; \`tuneloop spec check\` brings them up to date when they are of an older version.`

function page(title: string, ...parts: readonly string[]): string {
  return `${[note, `# ${title}`, ...parts].join("\n\n").trimEnd()}\n`
}

function schemaOf(name: SchemaName): JsonSchema {
  return jsonSchemaOf(name) as JsonSchema
}

async function commandText(): Promise<string> {
  const program = await fullProgram()
  const sections = [helpOf(await buildProgram([], new Host([])))]
  for (const command of program.commands) {
    sections.push(`## ${command.name()}`, helpOf(command))
    for (const part of command.commands) sections.push(`### ${command.name()} ${part.name()}`, helpOf(part))
  }
  return page(
    "The command line",
    "In a checkout a command is `npm run -s tuneloop -- <command>`; installed, it is `tuneloop " +
      "<command>`.\nThe options of the program are allowed after every command.",
    ...sections,
  )
}

/** The words of words.yaml, a table for each part. */
function glossaryText(): string {
  const parts = parse(readFileSync(join(docs, "words.yaml"), "utf8")) as Record<string, Record<string, string>>
  return page(
    "Glossary",
    "The words of Tuneloop, and what they mean here.",
    ...Object.entries(parts).flatMap(([part, words]) => [
      `## ${part.charAt(0).toUpperCase()}${part.slice(1)}`,
      table(
        ["word", "meaning"],
        Object.entries(words).map(([word, meaning]) => [`**${word}**`, meaning]),
      ),
    ]),
  )
}

/** What `--help` prints. */
function helpOf(command: Command): string {
  let text = ""
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp()
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``
}

async function plugInText(): Promise<string> {
  const backends = await loadAll<BackendModule>("backends")
  const models = await loadAll<ModelModule>("models")
  const strategies = await loadAll<Strategy>("strategies")
  const filters = await loadAll<Filter>("filters")
  const metrics = await loadAll<Metric>("metrics")
  const contenders = await loadAll<Contender>("contenders")
  const formats = await loadAll<DatasetFormat>("formats")
  return page(
    "Plug-ins",
    "A plug-in is one file; its name is its id. [CONTRIBUTING.md](../CONTRIBUTING.md) says how to add one.",
    "## Backends",
    "What trains: `backend.name` in the job.",
    table(
      ["name", "what it is", "kind"],
      backends.map(({ name, module }) => [`\`${name}\``, module.summary, module.kind]),
    ),
    "A _runner_ is a machine that runs our trainer. A _hosted_ backend is a fine-tuning API: it costs " +
      "money, and whoever runs a command is asked first.",
    environmentTable(backends),
    ...backends.flatMap(({ name, module }) => [
      `### Options of ${name}`,
      "The keys of `backend.options` in the job.",
      keysOf(z.toJSONSchema(module.options, { io: "input", unrepresentable: "any" }) as JsonSchema),
    ]),
    "## Models",
    "What grows examples: `expand.model.provider` in the task.",
    table(
      ["name", "what it is"],
      models.map(({ name, module }) => [`\`${name}\``, module.summary]),
    ),
    environmentTable(models),
    "## Strategies",
    "How examples are grown: the keys of `expand.strategies` in the task.",
    table(
      ["name", "what it is", "asks a model"],
      strategies.map(({ name, module }) => [`\`${name}\``, module.summary, module.asksModel ? "yes" : "no"]),
    ),
    ...strategies.flatMap(({ name, module }) => [
      `### Options of ${name}`,
      keysOf(z.toJSONSchema(module.options, { io: "input", unrepresentable: "any" }) as JsonSchema),
    ]),
    "## Filters",
    "What makes a text unfit to learn from: the keys of `filters` in the task. All are on, unless the " +
      "task says `severity: off`.",
    table(
      ["name", "what it finds", "usually"],
      filters.map(({ name, module }) => [`\`${name}\``, module.summary, usualSeverity(module)]),
    ),
    table(
      ["code", "meaning"],
      filters.flatMap(({ name, module }) =>
        Object.entries(module.codes).map(([code, meaning]) => [`\`${name}/${code}\``, meaning]),
      ),
    ),
    ...filters.flatMap(({ name, module }) => [
      `### Options of ${name}`,
      keysOf(z.toJSONSchema(module.options, { io: "input", unrepresentable: "any" }) as JsonSchema),
    ]),
    "## Contenders",
    "What the tuned model is compared with: `evaluation.contenders` in the job, `--against`, and " +
      "`verdict.incumbent` in the task.",
    table(
      ["name", "what it is", "kinds of task", "needs"],
      contenders.map(({ name, module }) => [
        module.argument === undefined ? `\`${name}\`` : `\`${name}:<${module.argument}>\``,
        module.summary,
        module.kinds.join(", "),
        module.needs.join(", "),
      ]),
    ),
    "## Metrics",
    "What an evaluation computes; `verdict.metric` in the task names the one that decides.",
    table(
      ["name", "what it is", "kinds of task", "better"],
      metrics.map(({ name, module }) => [`\`${name}\``, module.summary, module.kinds.join(", "), module.direction]),
    ),
    ...metrics.flatMap(({ name, module }) => optionsText(name, module.options)),
    "## Formats",
    "What `tuneloop dataset export` writes: its `--format`. Each row is the messages that the trainer renders.",
    table(
      ["name", "what it is", "read by"],
      formats.map(({ name, module }) => [`\`${name}\``, module.summary, module.readBy]),
    ),
  )
}

/** The options of a plug-in; nothing where it has none. */
function optionsText(name: string, options: z.ZodType): string[] {
  const schema = z.toJSONSchema(options, { io: "input", unrepresentable: "any" }) as JsonSchema
  return Object.keys(schema.properties ?? {}).length === 0 ? [] : [`### Options of ${name}`, keysOf(schema)]
}

function usualSeverity(filter: Filter): string {
  return (filter.options.parse({}) as { readonly severity: string }).severity
}

async function loadAll<Module>(room: Parameters<typeof names>[0]): Promise<{ name: string; module: Module }[]> {
  return Promise.all(names(room).map(async (name) => ({ name, module: await load<Module>(room, name) })))
}

function environmentTable(plugIns: readonly { name: string; module: Pick<BackendModule, "environment"> }[]): string {
  const rows = plugIns.flatMap(({ name, module }) =>
    module.environment.map((variable) => [
      `\`${variable.name}\``,
      name,
      `${variable.purpose}${variable.secret ? " (secret)" : ""}`,
    ]),
  )
  return rows.length === 0
    ? "They read no environment variables."
    : table(["environment variable", "read by", "purpose"], rows)
}

const exitMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: "Done. Also for `unchanged`, for every verdict, and for rows that `--skip-invalid` left out.",
  failure: "A known failure: bad data, a run that failed, a server that does not answer.",
  usage: "Wrong usage, or an invalid task, job or workspace file.",
  personNeeded: "A person must act next. The message ends with the command.",
  gateSaidNo:
    "A gate said no: a leak, a row that renders empty, a host that is not allowed, a ceiling on money that is reached.",
  bug: "A bug of Tuneloop. Please report it, with the output of `--verbose`.",
  interrupted: "Interrupted. The message says whether what was done is kept; if so, the same command goes on.",
}

function errorText(): string {
  const codes = Object.entries(exitCodes).map(([name, code]) => [
    String(code),
    exitMeanings[name as keyof typeof exitCodes],
  ])
  const errors = [
    ...new Set(sourceFiles(join(docs, "..", "src")).flatMap((file) => errorCodesIn(readFileSync(file, "utf8")))),
  ].sort()
  return page(
    "Exit codes and error codes",
    table(["exit code", "meaning"], codes),
    "## Errors under --json",
    'With `--json` an error is one line on stderr: `{"schemaVersion": 1, "error": {"code", "message", ' +
      '"hint"}}`.\nThe message says what failed, with the value that was got and those allowed. The hint is ' +
      "the next command or edit.\nThese are the codes:",
    table(
      ["code", "meaning"],
      errors.map((code) => [`\`${code}\``, meaningOf(code)]),
    ),
  )
}

/** A code without a meaning is not explained, and a meaning without a code is of none. */
function meaningOf(code: string): string {
  const meaning = errorMeanings[code]
  if (meaning === undefined) throw new Error(`docs/error-meanings.ts does not say what ${code} means`)
  return `${meaning[0]?.toUpperCase()}${meaning.slice(1)}.`
}

/** The codes an error is made with; those of the program itself (`bug`, `interrupted`) are given to `complain`. */
function errorCodesIn(source: string): string[] {
  const made = [...source.matchAll(/\bcode: ["`]([a-z][a-z${}-]*)["`]/g)].map((match) => match[1] ?? "")
  const complained = [...source.matchAll(/complain\([^\n]*, "([a-z]+)"\)/g)].map((match) => match[1] ?? "")
  // An issue of a schema is no error of its own.
  const codes = [...made, ...complained].filter((code) => code !== "custom")
  return codes.flatMap((code) => (code === "unknown-${kind}" ? ["unknown-task", "unknown-job"] : [code]))
}

function sourceFiles(folder: string): string[] {
  return (
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      // The codes of filters are no errors.
      .filter((name) => name.endsWith(".ts") && !name.startsWith("filters"))
      .sort()
      .map((name) => join(folder, name))
  )
}

if (import.meta.main) {
  for (const [name, text] of await generatedFiles()) {
    mkdirSync(dirname(join(docs, name)), { recursive: true })
    writeFileSync(join(docs, name), text)
    process.stdout.write(`docs/${name}\n`)
  }
}
