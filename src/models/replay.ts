import { z } from "zod"
import { digest } from "../core/canonical.ts"
import { ConfigError, ProviderError } from "../core/errors.ts"
import { parseJson } from "../core/json-text.ts"
import type { ModelAnswer, ModelModule, ModelRequest } from "../core/contracts/model.ts"

const variable = "TUNELOOP_RECORDING"
const recording = "http://localhost/recording"

/**
 * Answers from a file, for tests and demonstrations without a server or a key: JSONL of `{request, answer}`, as
 * `tuneloop ledger recording` prints it. A request is known by what was asked, whoever answered it then. Asks nobody.
 */
const module: ModelModule = {
  summary: "Answers that were recorded before, from a file (`tuneloop ledger recording` writes one)",
  environment: [{ name: variable, purpose: "the file of recorded answers of the provider replay" }],
  address: () => recording,
  create(environment, { readText }) {
    let recorded: ReadonlyMap<string, ModelAnswer> | undefined
    return {
      name: "replay",
      baseUrl: recording,
      async ask(request, signal) {
        signal.throwIfAborted()
        recorded ??= read(environment[variable], readText)
        const answer = recorded.get(contentOf(request))
        if (answer !== undefined) return answer
        throw new ProviderError(
          `${environment[variable]} has no answer to ${contentOf(request)}: ` +
            `${JSON.stringify(request.messages.at(-1)?.content ?? "").slice(0, 120)}`,
          {
            provider: "replay",
            mayHaveCost: false,
            hint:
              "Seeds, prompts or options are others than when it was recorded. Ask a model once, and record " +
              "again: tuneloop ledger recording <task>",
          },
        )
      },
    }
  },
}
export default module

type RecordedRequest = ModelRequest | z.output<typeof recordedSchema>["request"]

// A recording may also be written by hand, where nobody counts tokens.
const recordedSchema = z.object({
  request: z.record(z.string(), z.unknown()),
  answer: z.looseObject({
    text: z.string(),
    inputTokens: z.number().nullable().default(null),
    outputTokens: z.number().nullable().default(null),
    schemaRefused: z.literal(true).optional(),
    countsRefused: z.literal(true).optional(),
  }),
})

/** What makes two requests the same, wherever they are sent. */
function contentOf({ provider: _provider, baseUrl: _baseUrl, ...content }: RecordedRequest): string {
  return digest(content)
}

function read(file: string | undefined, readText: (path: string) => string): Map<string, ModelAnswer> {
  if (!file) throw wrong(`is not set`)
  let text: string
  try {
    text = readText(file)
  } catch (error) {
    throw wrong(`names ${file}, which cannot be read: ${(error as Error).message}`)
  }
  return new Map(
    text.split("\n").flatMap((line, index) => {
      if (line.trim() === "") return []
      const { data } = recordedSchema.safeParse(parseJson(line))
      if (data !== undefined) return [[contentOf(data.request), data.answer] as const]
      throw wrong(`names ${file}, and its line ${index + 1} is no {"request": …, "answer": {"text": …}}`)
    }),
  )
}

function wrong(message: string): ConfigError {
  return new ConfigError(
    "the environment is invalid: 1 problem",
    [{ path: variable, message }],
    `Set ${variable} to a file that \`tuneloop ledger recording\` wrote.`,
  )
}
