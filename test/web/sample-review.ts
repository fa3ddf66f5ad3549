import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { contentId } from "../../src/core/canonical.ts"
import type { Candidate, Seed } from "../../src/core/rows/example.ts"
import { checkId } from "../../src/core/rows/row-identity.ts"

/** Texts that would do something if a page took them for markup, a template or code. */
export const hostile = [
  `<img src=x onerror="window.hacked='img'"><script>window.hacked='script'</script>`,
  `"><svg onload=window.hacked='svg'> \${window.hacked='template'} {{window.hacked='braces'}} ` +
    "javascript:window.hacked='url'",
  `</textarea></title></script><script>window.hacked='close'</script><!-- \u202e right to left \u2028 line \u0000 nul`,
]

const specs: Readonly<Record<string, string>> = {
  moods: `task: moods
kind: label
description: Tell the mood of a message.
guideline: |
  Thanks alone is glad. ${hostile[0]}
  A question without feeling is calm.
input: { text: { description: The message } }
output: { labels: { glad: "thanks, praise", sad: "loss, regret", calm: "no feeling at all, '<b>' included" } }
`,
  topics: `task: topics
kind: multilabel
description: Name the topics of a message.
guideline: Every topic that a reply would have to speak of.
input: { text: {} }
output: { labels: { price: what it costs, time: when it comes, place: where it is }, minimum: 1 }
`,
  orders: `task: orders
kind: json
description: Read an order.
guideline: A number word is its number.
input: { message: {} }
output:
  schema:
    type: object
    additionalProperties: false
    required: [customer, items, rush]
    properties:
      customer: { type: [string, "null"], description: who orders }
      items:
        type: array
        items:
          type: object
          additionalProperties: false
          required: [product, quantity, unit]
          properties: { product: { type: string, minLength: 1 }, quantity: { type: integer, minimum: 1 }, unit: { enum: [bag, box, piece] } }
      rush: { type: boolean }
`,
  replies: `task: replies
kind: text
description: Answer a customer.
guideline: At most 20 words. No exclamation marks.
input: { message: {}, facts: {} }
output: { minLength: 5, maxLength: 120 }
`,
  talks: `task: talks
kind: chat
description: Help with parcels.
guideline: Look a parcel up before saying where it is.
output:
  tools:
    - { name: find_parcel, description: Where a parcel is, parameters: { type: object, required: [number], additionalProperties: false, properties: { number: { type: string }, isExpress: { type: boolean } } } }
`,
}

const turns = [
  { role: "system", content: "You help with parcels." },
  { role: "user", content: "Where is parcel 4711?" },
  {
    role: "assistant",
    content: "",
    tool_calls: [{ id: "call_1", type: "function", function: { name: "find_parcel", arguments: '{"number":"4711"}' } }],
  },
  { role: "tool", tool_call_id: "call_1", content: '{"city":"Ghent"}' },
]

const words = "parcel kettle garden letter invoice winter coat lamp refund colour holiday kitchen voucher login".split(
  " ",
)

/**
 * A workspace with a task of each kind and something of every kind of review item, hostile texts among them. `count` is
 * how many candidates the label task has.
 */
export function reviewWorkspace(count = 12): string {
  const workspace = mkdtempSync(join(tmpdir(), "tuneloop-review-"))
  mkdirSync(join(workspace, "specs"))
  for (const [task, spec] of Object.entries(specs)) writeFileSync(join(workspace, "specs", `${task}.yaml`), spec)
  const seeds = [
    seed({ text: "Thank you, the kettle is lovely" }, "glad"),
    seed({ text: "The lamp came broken and I could cry" }, "sad"),
    seed({ text: "When do you open on Mondays?" }, "calm"),
    seed({ text: "My coat was lost on its way, what a pity" }, "sad"),
    seed({ text: "Do you have the garden chair in green?" }, "calm"),
    seed({ text: "Do you have the garden chair in green please?" }, "glad"),
    seed({ text: hostile[1] ?? "" }, "calm"),
  ]
  const moods = Array.from({ length: count }, (_, index) => {
    const [first, second] = [words[index % words.length], words[(index * 5 + 3) % words.length]]
    const text =
      index < hostile.length
        ? (hostile[index] ?? "")
        : `The ${first} is here and the ${second} as well, number ${index}, so what now?`
    return candidate({ text }, ["glad", "sad", "calm"][index % 3])
  })
  write(workspace, "moods", { seeds, candidates: moods })
  rows(workspace, "moods", "inputs.jsonl", [
    { id: contentId("input", "a real input"), input: { text: "hello, is anybody there" } },
  ])
  const [, wrong, , , green, please] = seeds as [Seed, Seed, Seed, Seed, Seed, Seed]
  rows(workspace, "moods", "queue/label-errors.jsonl", [
    {
      id: checkId(wrong.id, wrong.input, wrong.output),
      row: wrong.id,
      split: "train",
      label: "sad",
      suggested: "glad",
      selfConfidence: 0.11,
      confidence: 0.74,
      isCurrent: true,
    },
  ])
  const side = ({ id, input, output }: Seed) => ({ row: id, check: checkId(id, input, output), output })
  const [a, b] = [side(green), side(please)]
  rows(workspace, "moods", "queue/conflicts.jsonl", [
    { id: contentId("conflict", [a.check, b.check].sort()), a, b, similarity: 0.91, isCurrent: true },
  ])
  write(workspace, "topics", {
    seeds: [seed({ text: "What does it cost and when does it come?" }, ["price", "time"])],
    candidates: [
      candidate({ text: "How much is the delivery to Porto?" }, ["price"]),
      candidate({ text: "Where are you on Sundays?" }, ["time", "place"]),
    ],
  })
  const items = [{ product: "flour", quantity: 2, unit: "bag" }]
  write(workspace, "orders", {
    seeds: [
      seed(
        { message: "Three boxes of butter for Café Lune" },
        { customer: "Café Lune", items: [{ product: "butter", quantity: 3, unit: "box" }], rush: false },
      ),
    ],
    candidates: [
      candidate(
        { message: "Two bags of flour, quickly please. Bakery Roth" },
        { customer: "Bakery Roth", items, rush: false },
      ),
      candidate({ message: "Nothing this week" }, { customer: null, items: [], rush: false }),
    ],
  })
  write(workspace, "replies", {
    seeds: [seed({ message: "Is my bike ready?", facts: "ready Friday" }, "Hello, it is ready on Friday. – Workshop")],
    candidates: [
      candidate({ message: "What is a new chain?", facts: "35 euros" }, "Hello! a chain costs 30 euros. – Workshop"),
    ],
  })
  rows(workspace, "replies", "inputs.jsonl", [
    { id: contentId("input", "reply"), input: { message: "Do you repair tyres?", facts: "yes, 12 euros" } },
  ])
  write(workspace, "talks", {
    seeds: [seed({ messages: turns.slice(0, 2) }, { content: "", tool_calls: turns[2]?.tool_calls })],
    candidates: [
      candidate({ messages: turns }, { content: "It is in Ghent!" }),
      candidate(
        { messages: turns.slice(0, 2) },
        { tool_calls: [{ type: "function", function: { name: "find_parcel", arguments: '{"number":"4712"}' } }] },
      ),
    ],
  })
  return workspace
}

function write(
  workspace: string,
  task: string,
  { seeds, candidates }: { seeds: readonly Seed[]; candidates: readonly Candidate[] },
): void {
  rows(workspace, task, "seeds.jsonl", seeds)
  rows(
    workspace,
    task,
    "splits.jsonl",
    seeds.map(({ id }) => ({ id, split: "train", stratum: "all" })),
  )
  rows(workspace, task, "candidates/first.jsonl", candidates)
}

function rows(workspace: string, task: string, file: string, lines: readonly unknown[]): void {
  const path = join(workspace, "datasets", task, file)
  mkdirSync(join(path, ".."), { recursive: true })
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""))
}

function seed(input: Seed["input"], output: unknown): Seed {
  return { id: contentId("seed", { input, output }), input, output }
}

function candidate(input: Candidate["input"], output: unknown): Candidate {
  return { id: contentId("cand", { input, output }), parents: [], strategy: "self-instruct", input, output, checks: [] }
}
