import { digest } from "../core/canonical.ts"
import { ConfigError, ProviderError } from "../core/errors.ts"
import type { ModelAnswer, ModelModule, ModelRequest } from "../core/contracts/model.ts"

const variable = "TUNELOOP_RECORDING"

/**
 * Answers from a file, for tests and demonstrations without a server or a key: JSONL of `{request, answer}`, as
 * `tuneloop ledger recording` prints it. A request is known by what was asked, whoever answered it then. Asks nobody.
 */
const module: ModelModule = {
  summary: "Answers that were recorded before, from a file (`tuneloop ledger recording` writes one)",
  environment: [{ name: variable, purpose: "the file of recorded answers of the provider replay" }],
  create(environment, { readText }) {
    let recorded: ReadonlyMap<string, ModelAnswer> | undefined
    return {
      name: "replay",
      baseUrl: "http://localhost/recording",
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

/** What makes two requests the same, wherever they are sent. */
function contentOf({ provider: _provider, baseUrl: _baseUrl, ...content }: ModelRequest): string {
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
      try {
        const { request, answer } = JSON.parse(line) as { request: ModelRequest; answer: ModelAnswer }
        if (typeof answer.text === "string") return [[contentOf(request), answer] as const]
      } catch {}
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
