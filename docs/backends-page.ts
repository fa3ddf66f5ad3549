import { stringify } from "yaml"
import type { BackendContext, BackendModule, FineTuneBackend } from "../src/core/contracts/backend.ts"
import { packageRoot } from "../src/cli/version.ts"
import { closedServices } from "../src/store/closed-services.ts"
import { table } from "./specification-table.ts"

/** What each backend can do, where, and a whole job file each; as of the dates in the facts. */
export async function backendsText(
  modules: readonly { readonly name: string; readonly module: BackendModule }[],
): Promise<string> {
  const places = modules.flatMap(({ name, module }) =>
    Object.entries(module.examples).map(([title, { baseModel, options = {} }]) => ({
      ...{ title, name, baseModel, options },
      backend: module.create(documentedContext, module.options.parse(options)),
    })),
  )
  return [
    "Where a job trains: `backend` in the job, with the options of [plug-ins.md](plug-ins.md#backends). " +
      "A workspace may give backends " +
      "with their options names of its own (`backends` in `tuneloop.yaml`).",
    table(
      ["where", "backend", "objectives", "methods", "until", "as of"],
      places.map(({ title, name, backend }) => {
        const { objectives, methods, asOf } = backend.capabilities()
        return [title, `\`${name}\``, objectives.join(", "), methods.join(", "), backend.sunset ?? "–", asOf]
      }),
    ),
    ...preferencesText,
    ...(await Promise.all(places.map((place) => section(place)))),
    "## Closed",
    "These take no more jobs.",
    table(
      ["service", "since", "what", "instead", "source"],
      closedServices().map(({ name, since, what, instead, source }) => [name, since, what, instead, source]),
    ),
  ].join("\n\n")
}

const preferencesText = [
  "## Training on preferences",
  "With `objective: dpo` a job trains on the preferences of the version (`preferences.jsonl`): for each grown " +
    "example that a reviewer corrected and the build kept, the corrected output is preferred to the one that was " +
    "proposed. `tuneloop job check` shows the first one as it is sent.",
  "- Each preference is about a train row of the version; one that is not stops the job, and an export too.\n" +
    "- No validation file is sent: corrections are made of what is trained on, never of what is held out.\n" +
    "- Weights by prevalence are of pairs; preferences have none.\n" +
    "- `hyperparameters.beta` is the service's own unless the job sets it. The default of `learningRate` suits " +
    "`sft`: a backend that follows it wants another one named.\n" +
    "- The model is evaluated like any other.",
  `\`\`\`yaml\n${stringify({
    ...{ schemaVersion: 1, job: "support-dpo", task: "support", baseModel: "gpt-4.1-mini-2025-04-14" },
    ...{ backend: { name: "openai-compatible" }, objective: "dpo", hyperparameters: { beta: 0.1 } },
  })}\`\`\``,
]

async function section({
  title,
  name,
  baseModel,
  options,
  backend,
}: {
  readonly title: string
  readonly name: string
  readonly baseModel: string
  readonly options: Readonly<Record<string, unknown>>
  readonly backend: FineTuneBackend
}): Promise<string> {
  const { settings, source, choosesCheckpoint } = backend.capabilities()
  // Without an environment every key is missing, and the check says which.
  const keys = backend.kind === "hosted" ? (await backend.check()).flatMap(({ hint }) => hint ?? []) : []
  const job = {
    ...{ schemaVersion: 1, job: "support", task: "support", baseModel },
    backend: { name, ...(Object.keys(options).length === 0 ? {} : { options }) },
  }
  return [
    `## ${title}`,
    ...keys,
    ...(settings === undefined
      ? []
      : [
          `Settings that it follows: ${settings
            .filter((key) => key !== "name")
            .map((key) => `\`${key}\``)
            .join(", ")}. Others are refused.`,
        ]),
    ...(choosesCheckpoint === true
      ? ["The checkpoint with the lowest validation loss can be had in the place of the last (`checkpoint`)."]
      : []),
    ...(backend.rows === undefined ? [] : [`Rows: ${backend.rows.fewestRows} or more.`]),
    ...notesOf(backend),
    `Source: ${source}.`,
    `\`\`\`yaml\n${stringify(job)}\`\`\``,
  ].join("\n\n")
}

function notesOf({ notes }: FineTuneBackend): string[] {
  return (notes ?? []).map((note) => `${note.charAt(0).toUpperCase()}${note.slice(1)}.`)
}

/** Nothing is asked, read or sent for the docs. */
const documentedContext: BackendContext = {
  environment: {},
  packageRoot,
  allowedHosts: [],
  fetch: () => Promise.reject(new Error("the docs ask no server")),
  now: () => new Date(0),
  sleep: () => Promise.resolve(),
  signal: new AbortController().signal,
  progress: () => undefined,
}
