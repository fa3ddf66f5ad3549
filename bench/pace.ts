// How near to a server's limit the pace stays, and how seldom it is refused: the real stage and SDK against servers on
// this machine that enforce their limits.
import { parseArgs } from "node:util"
import { Asking } from "../src/stages/asking/asking.ts"
import { askAll } from "../src/stages/asking/ask.ts"
import { chatAnswerer } from "../src/stages/asking/request.ts"
import { askingTerms } from "../src/stages/growing/asking-terms.ts"
import { Limiter, type Limits } from "../test/core/asking/simulated-server.ts"
import { seeded } from "../test/seeded.ts"
import { ChatServer } from "../test/models/chat-server.ts"
import { askingBench } from "../test/stages/asking/asking-context.ts"

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "4" }, knows: { type: "string", default: "specification,headers" } },
})
const minutes = Number(values.minutes)
const rates = { requests: [120, 600], tokens: [40_000, 100_000] } as const

process.stdout.write(
  `${minutes} minutes each; an answer takes up to 600 ms; requests have 60 to 140 tokens of input and 40 ` +
    `to 160 of output\n`,
)
process.stdout.write("limit                     server         known by        used %   asked  refused  refused %\n")
for (const knows of values.knows.split(","))
  for (const what of ["requests", "tokens"] as const) {
    const lanes = rates[what].flatMap((rate) =>
      (["bucket", "window"] as const).map((kind) => lane(what, rate, kind, knows)),
    )
    for (const line of await Promise.all(lanes)) process.stdout.write(`${line}\n`)
  }
process.exit(0)

/** One client and one server for the time; a line of the table. */
async function lane(of: "requests" | "tokens", rate: number, kind: Limits["kind"], knows: string): Promise<string> {
  const limits: Limits = { kind, ...(of === "requests" ? { requestsPerMinute: rate } : { tokensPerMinute: rate }) }
  const limiter = new Limiter(limits)
  const server = await ChatServer.start()
  const random = seeded(rate)
  server.moods = { faults: [], slowestMs: 600, random }
  const start = performance.now()
  const totals = { asked: 0, refused: 0, taken: 0, tokens: 0 }
  server.usage = (body) => tokensOf(body)
  server.admits = ({ body }) => {
    const now = performance.now() - start
    const { prompt_tokens, completion_tokens } = tokensOf(body)
    const tokens = prompt_tokens + completion_tokens
    const isTaken = limiter.takes(now, tokens)
    totals.asked++
    if (!isTaken) totals.refused++
    else if (now <= minutes * 60_000) {
      totals.taken++
      totals.tokens += tokens
    }
    const headers = Object.fromEntries(
      limiter.left().flatMap(({ of: what, limit, remaining }) => [
        [`x-ratelimit-limit-${what}`, String(limit)],
        [`x-ratelimit-remaining-${what}`, String(remaining)],
      ]),
    )
    return { isTaken, headers: knows === "headers" ? headers : {} }
  }
  const pace = {
    concurrency: 32,
    ...(knows === "headers" ? {} : of === "requests" ? { requestsPerMinute: rate } : { tokensPerMinute: rate }),
  }
  const bench = askingBench(server.url, {
    expand: { pace },
    words: (index) => `Question ${index}: ${"what is it ".repeat(10 + (index % 12))}`,
    maxTokens: 300,
  })
  setTimeout(() => bench.abort.abort(new Error("time is up")), minutes * 60_000)
  const most = Math.ceil((of === "requests" ? 1.5 * rate : rate / 100) * minutes)
  const asking = new Asking(bench.context, askingTerms(bench.task))
  const open = () => chatAnswerer(bench.model())
  const question = { purpose: "bench", requests: bench.requests(most), open, asking }
  await askAll(bench.context, question).catch(() => undefined)
  server.close()
  const used = of === "requests" ? totals.taken / (rate * minutes) : totals.tokens / (rate * minutes)
  return [
    `${rate} ${of} a minute`.padEnd(25),
    kind.padEnd(14),
    knows.padEnd(14),
    (100 * used).toFixed(2).padStart(7),
    String(totals.asked).padStart(7),
    String(totals.refused).padStart(8),
    ((100 * totals.refused) / totals.asked).toFixed(2).padStart(10),
  ].join(" ")
}

/** What the server counts: always the same for the same request. */
function tokensOf(body: string): { prompt_tokens: number; completion_tokens: number } {
  const { messages, seed } = JSON.parse(body) as { messages: { content: string }[]; seed: number }
  return {
    prompt_tokens: Math.round((messages[0]?.content.length ?? 0) / 2),
    completion_tokens: 40 + Math.floor(120 * seeded(seed)()),
  }
}
