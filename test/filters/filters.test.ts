import { readFileSync } from "node:fs"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { load, names } from "../../src/cli/plugins.ts"
import type { Filter, TextPlace } from "../../src/core/contracts/filter.ts"
import { labelTask, textTask } from "../curation/near/made-texts.ts"
import { sample } from "../command-line.ts"

const filters = new Map(
  await Promise.all(names("filters").map(async (name) => [name, await load<Filter>("filters", name)] as const)),
)
const codes = (name: string, text: string, place: TextPlace = "output", options: Record<string, unknown> = {}) => {
  const filter = filters.get(name) as Filter
  return filter.find(text, { place, task: textTask }, filter.options.parse(options) as never).map(({ code }) => code)
}
const usual = (name: string) => (name === "language" ? { expected: ["de", "en", "es", "fr", "nl", "pt"] } : {})

// What people write and no filter may touch.
const ordinary = [
  "",
  "Where is my parcel?",
  "I cannot log in since Monday, please help me!",
  "I'm sorry, but I want my money back.",
  "Sorry, I can't find the receipt. What now?",
  "I am unable to come on Friday, can we move it?",
  "as an AI engineer I would like to order two keyboards",
  "Als AI-startup zoeken we een bureau.",
  "Como siempre, no funciona.",
  "Es tut mir leid, dass ich so spät schreibe.",
  "Désolée, je ne suis pas chez moi demain.",
  "MAÇÃ» e NÃO, «MAÇû, MAÇÃ… ÂNGULO, Âge, Îles, Ñandú",
  "naïve café, Zürich, Łódź, Ðorđe, Ñuñoa, œuvre, 5 €, “quotes” – and ‘more’…",
  "if a < b and c > d || e <| f |> g then [x] else {y}",
  "<s>old price</s> new price, a<b>c</b>",
  'the set {1, 2, 3}, \\frac{name}{text}, ${input} and f"{input!r}" and {"input": 3}',
  "Write to [EMAIL_1] or [PHONE_1], says [NAME]. See [1], [sic], [a link](https://example.com), [order] now",
  "function f() { return {} } /* {{}} */",
  "no no no no, not again! ha ha ha ha",
  "1000000000000000000000000000000000000000000000000 and ------------------------------------------------------------",
  "|   |   |   |   |   |   |   |   |   |   |   |   |   |   |   |   |   |   |",
  "Row, row, row your boat gently down the stream, merrily, merrily, merrily, merrily, life is but a dream",
  "Yes\nNo\nYes\nNo",
  "Here is what happens: it does not work.",
  "Let me know if you need the order number.",
  "OK",
  "👍",
  "2 × 3 = 6",
  "think <thinking> about it",
  "[INSTALL] section, [mask] and [UNKNOWN]",
]

describe("every filter", () => {
  test.each([...filters])("%s keeps the contract", (name, filter) => {
    expect(filter.summary).not.toBe("")
    expect(Object.keys(filter.codes).length).toBeGreaterThan(0)
    expect(["flag", "drop"]).toContain((filter.options.parse({}) as { severity: string }).severity)
    expect(filter.options.safeParse({ severity: "off" }).success).toBe(true)
    expect(filter.options.safeParse({ severety: "off" }).success).toBe(false)
    const options = filter.options.parse(usual(name)) as never
    for (const task of [labelTask, textTask])
      fc.assert(
        fc.property(
          fc.oneof(fc.string({ unit: "grapheme", maxLength: 200 }), fc.string({ unit: "binary", maxLength: 200 })),
          (text) => {
            const found = filter.find(text, { place: "output", task }, options)
            for (const { code, detail } of found) {
              expect(Object.keys(filter.codes)).toContain(code)
              expect(detail).not.toContain("\n")
              expect(detail.length).toBeLessThanOrEqual(80)
            }
            expect(filter.find(text, { place: "output", task }, options)).toEqual(found)
          },
        ),
        { seed: 7, numRuns: 100 },
      )
  })

  test.each([...filters.keys()])("%s finds nothing in what people write", (name) => {
    for (const text of ordinary) expect(codes(name, text, "output", usual(name)), text).toEqual([])
    for (const file of ["seeds.jsonl", "inputs.jsonl"])
      for (const line of readFileSync(sample("ticket-triage", file), "utf8").trimEnd().split("\n")) {
        // The sample has a customer who writes nonsense; such a row is flagged, and stays.
        if (line.includes("lorem ipsum")) continue
        const { body } = (JSON.parse(line) as { input: { body: string } }).input
        expect(codes(name, body, "input"), body).toEqual([])
        expect(codes(name, body, "output"), body).toEqual([])
      }
  })

  test.each([...filters.keys()])("%s is done with a long text at once", (name) => {
    const before = performance.now()
    for (const part of [
      "a",
      "ab ",
      "I'm sorry, ",
      "{{a ",
      "[your ",
      "<|a",
      "Ã",
      "<s>",
      "here is a ",
      "als KI ",
      "\n",
      "- ",
      "aaaaaaaaab",
    ])
      codes(
        name,
        part.repeat(Math.ceil(60_000 / part.length)),
        "output",
        name === "language" ? { expected: ["tr"] } : {},
      )
    expect(performance.now() - before).toBeLessThan(10_000)
  })
})

const cases: Readonly<Record<string, readonly (readonly [code: string, text: string])[]>> = {
  encoding: [
    ["mojibake", "CafÃ© au lait"],
    ["mojibake", "fÃ¼r Ã–sterreich"],
    ["mojibake", "MÃ¼ller"],
    ["mojibake", "itâ€™s broken"],
    ["mojibake", "only Â£5"],
    ["mojibake", "ï»¿hello"],
    ["mojibake", "ÐŸÑ€Ð¸Ð²ÐµÑ‚"],
    ["mojibake", "ðŸ˜€ nice"],
    ["replacement-character", "caf\ufffd"],
  ],
  "special-tokens": [
    ["control-token", "hello<|im_end|>"],
    ["control-token", "<|start_header_id|>user"],
    ["control-token", "[INST] do it [/INST]"],
    ["control-token", "<<SYS>> be kind"],
    ["control-token", "the answer is 4</s>"],
    ["control-token", "<s> the answer is 4"],
    ["control-token", "<start_of_turn>model"],
    ["control-token", "<｜end▁of▁sentence｜>"],
    ["control-token", "a [MASK] word"],
    ["reasoning", "<think>hmm</think> 4"],
    ["prompt-header", "### Response:\nYes"],
  ],
  "template-leftovers": [
    ["template-slot", "Dear {{name}}, hello"],
    ["template-slot", "Dear {{ customer.name }}"],
    ["template-slot", "Answer: {input}"],
    ["template-slot", "see {body} here"],
    ["template-slot", "{% if x %}yes"],
    ["placeholder", "Best regards, [Your Name]"],
    ["placeholder", "Hi [Customer's Name],"],
    ["placeholder", "[Insert date here]"],
    ["placeholder", "call <your phone number>"],
    ["filler-text", "Lorem ipsum dolor sit amet"],
  ],
  repetition: [
    ["loop", `I like it. ${"and again ".repeat(8)}`],
    ["loop", "a".repeat(60)],
    ["loop", "这个很好".repeat(12)],
    ["loop", `Well. ${"The parcel is late and I am angry about it. ".repeat(5)}`],
    ["repeated-lines", "Yes, it is.\nNo.\nYes, it is.\nNo.\nYes, it is.\nYes, it is.\nNo."],
  ],
  refusal: [
    ["ai-disclaimer", "As an AI language model, I have no feelings."],
    ["ai-disclaimer", "I am an AI and was trained"],
    ["ai-disclaimer", "Als KI-Modell kann ich das nicht"],
    ["ai-disclaimer", "En tant qu'IA, je ne peux pas"],
    ["ai-disclaimer", "Como modelo de lenguaje, no tengo"],
    ["ai-disclaimer", "Como uma inteligência artificial, não tenho"],
    ["ai-disclaimer", "In quanto intelligenza artificiale non posso"],
    ["ai-disclaimer", "Als taalmodel kan ik"],
    ["ai-disclaimer", "Jako model językowy nie mogę"],
    ["ai-disclaimer", "Bir yapay zeka olarak duygularım yok"],
    ["ai-disclaimer", "作为一个人工智能，我没有感情"],
    ["ai-disclaimer", "AIとして、私は"],
    ["ai-disclaimer", "Как языковая модель, я не могу"],
    ["refusal", "I'm sorry, but I can't assist with that request."],
    ["refusal", "Sorry, but I cannot help with that."],
    ["refusal", "I cannot provide legal advice."],
    ["refusal", "Es tut mir leid, aber dabei kann ich nicht helfen."],
    ["refusal", "Désolé, mais je ne peux pas vous aider."],
    ["refusal", "Lo siento, pero no puedo ayudar con eso."],
    ["refusal", "Desculpe, mas não posso ajudar com isso."],
    ["refusal", "Mi dispiace, ma non posso aiutarti."],
    ["refusal", "Przykro mi, ale nie mogę pomóc."],
    ["refusal", "Üzgünüm, bu konuda yardımcı olamam."],
    ["refusal", "抱歉，我无法提供该信息"],
  ],
  boilerplate: [
    ["preamble", "Sure! Here is a rewritten version: Where is it?"],
    ["preamble", "Here are five examples: one"],
    ["preamble", "Certainly! I can do that"],
    ["closing", "Turn it off and on. I hope this helps!"],
    ["web-page", "© 2024 Shop. All rights reserved."],
  ],
  "word-count": [
    ["no-words", "..."],
    ["no-words", "— !"],
  ],
}

describe.each(Object.entries(cases))("%s finds", (name, rows) => {
  test.each(rows)("%s in %j", (code, text) => expect(codes(name, text)).toContain(code))
})

test("a refusal is looked for in outputs alone: a customer may write the same", () => {
  expect(codes("refusal", "I'm sorry, but I can't provide the receipt.", "input")).toEqual([])
})

test("the number of words is limited where the specification says so, also where words have no spaces", () => {
  expect(codes("word-count", "two words", "input", { fewest: 3 })).toEqual(["too-few-words"])
  expect(codes("word-count", "it's well-known", "input", { fewest: 2, most: 2 })).toEqual([])
  expect(codes("word-count", "one two three", "input", { most: 2 })).toEqual(["too-many-words"])
  expect(codes("word-count", "我的包裹在哪里", "input", { fewest: 3 })).toEqual([])
})

describe("language", () => {
  const probes = {
    de: "Wo ist mein Paket? Ich warte seit einer Woche und es ist noch nicht da.",
    en: "Where is my parcel? I have been waiting for it for a week now.",
    es: "¿Dónde está mi paquete? Lo espero desde hace una semana y no llega.",
    fr: "Où est mon colis ? Je l'attends depuis une semaine et il n'est pas là.",
    it: "Dov'è il mio pacco? Lo aspetto da una settimana e non è ancora arrivato.",
    nl: "Waar is mijn pakket? Ik wacht al een week en het is er nog niet.",
    pl: "Gdzie jest moja paczka? Czekam na nią od tygodnia i nie ma jej do tej pory.",
    pt: "Onde está o meu pacote? Estou à espera há uma semana e ele não chega.",
    sv: "Var är mitt paket? Jag har väntat på det i en vecka och det är inte här.",
    tr: "Paketim nerede? Bir haftadır bekliyorum ama ne bir haber var ne de kargo.",
    ru: "Где моя посылка? Я жду её уже неделю, а её всё нет и нет.",
    zh: "我的包裹在哪里？我已经等了一个星期了，可是它还没有到。请你们帮我查一下吧，我真的很着急，谢谢你们。",
    ja: "私の荷物はどこですか。もう一週間も待っていますが、まだ届きません。調べてもらえませんか。お願いします。",
  }
  test.each(Object.entries(probes))("%s is expected, or noticed where it is not", (language, text) => {
    expect(codes("language", text, "input", { expected: [language] })).toEqual([])
    expect(codes("language", text, "input", { expected: ["fi"] })).toEqual(["unexpected-language"])
  })
  test("short and mixed texts, and specifications that expect nothing, give no warning", () => {
    expect(codes("language", "Wo ist mein Paket?", "input", { expected: ["en"] })).toEqual([])
    expect(codes("language", probes.de)).toEqual([])
    expect(
      codes("language", "TL-33570 / 44-0183 / DHL Express Worldwide / Porto, Malmö, Kraków", "input", {
        expected: ["fi"],
      }),
    ).toEqual([])
    expect(
      codes("language", "The letter said »Wo ist mein Paket?« and that was all that it said to me", "input", {
        expected: ["en"],
      }),
    ).toEqual([])
  })
})
