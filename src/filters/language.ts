import { z } from "zod"
import { severityOption, type Filter } from "../core/contracts/filter.ts"

const options = z.strictObject({
  severity: severityOption("flag"),
  expected: z
    .array(
      z.enum([
        "ar",
        "cs",
        "de",
        "el",
        "en",
        "es",
        "fi",
        "fr",
        "he",
        "hi",
        "hu",
        "it",
        "ja",
        "ko",
        "nl",
        "pl",
        "pt",
        "ro",
        "ru",
        "sv",
        "th",
        "tr",
        "zh",
      ]),
    )
    .default([])
    .describe("The languages that texts may be in, as two letters. Default: any, and nothing is looked for"),
})

// A shorter text is too often misjudged: of ten short probes one known detector took four for another language.
const shortestText = 40
// So many times as many frequent words as those of every expected language, and so many at least.
const lead = 2
const fewestWords = 3

/**
 * Texts that are clearly in a language that the specification does not expect, by their script or by the share of very
 * frequent words (the stop words of each language; Grefenstette 1995). Says nothing of short texts, and nothing where
 * it is in doubt.
 */
const filter: Filter<z.output<typeof options>> = {
  summary: "texts in another language than the expected ones; only where it is clear",
  codes: { "unexpected-language": "clearly in a language that is not among `expected`" },
  options,
  find(text, _where, { expected }) {
    if (expected.length === 0 || text.length < shortestText) return []
    const language = clearLanguage(text, expected)
    return language === undefined || expected.includes(language as (typeof expected)[number])
      ? []
      : [{ code: "unexpected-language", detail: `probably ${language}; expected ${expected.join(", ")}` }]
  },
}
export default filter

function clearLanguage(text: string, expected: readonly string[]): string | undefined {
  const script = scriptOf(text)
  if (script !== undefined && script.languages.length > 0)
    return script.languages.some((language) => expected.includes(language)) ? undefined : script.languages[0]
  const words = text.toLowerCase().match(/[\p{L}\p{M}]+/gu) ?? []
  const counts = [...frequent].map(([language, known]) => ({
    language,
    count: words.filter((word) => known.has(word)).length,
  }))
  const best = counts.reduce((a, b) => (b.count > a.count ? b : a))
  const ours = Math.max(0, ...counts.filter(({ language }) => expected.includes(language)).map(({ count }) => count))
  const isClear = best.count >= fewestWords && best.count >= lead * ours && best.count >= words.length / 6
  return isClear && !expected.includes(best.language) ? best.language : undefined
}

/** The script that most letters are in, where it tells the language or a few of them; no languages for Latin. */
function scriptOf(text: string): { languages: readonly string[] } | undefined {
  const letters = (text.match(/\p{L}/gu) ?? []).length
  if (letters === 0) return { languages: [] }
  return scripts.find(({ pattern }) => (text.match(pattern) ?? []).length > letters / 2)
}

const scripts: readonly { readonly pattern: RegExp; readonly languages: readonly string[] }[] = [
  { pattern: /\p{Script=Latin}/gu, languages: [] },
  { pattern: /\p{Script=Cyrillic}/gu, languages: ["ru"] },
  { pattern: /\p{Script=Greek}/gu, languages: ["el"] },
  { pattern: /\p{Script=Arabic}/gu, languages: ["ar"] },
  { pattern: /\p{Script=Hebrew}/gu, languages: ["he"] },
  { pattern: /\p{Script=Devanagari}/gu, languages: ["hi"] },
  { pattern: /\p{Script=Thai}/gu, languages: ["th"] },
  { pattern: /\p{Script=Hangul}/gu, languages: ["ko"] },
  { pattern: /[\p{Script=Hiragana}\p{Script=Katakana}]/gu, languages: ["ja"] },
  { pattern: /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu, languages: ["zh", "ja"] },
]

const frequent: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    cs: "a se v na že je to s z do o i jsem ale jako za tak po by pro jsme mám není nebo který když už",
    de:
      "der die das und ist nicht ich ein eine zu den mit auf für es sie von dem im wie aber auch haben wird " +
      "bei oder mein kann wir",
    en:
      "the and is to of a in that it for you was with on have not this my i are be at but we they from or " +
      "can your what",
    es: "el la de que y en los se del las un por con no una su para es al lo como más pero mi está yo cuando muy hola",
    fi: "ja on ei se että en hän oli mutta olen ovat kun niin myös tai joka minun tämä voi mitä",
    fr: "le la les de des et est un une je pas que qui dans pour sur vous ce il nous avec ne mon au plus mais du par",
    hu: "a az és nem hogy egy is van de meg már ez csak vagy ha mint el volt kell még",
    it: "il lo la gli le di che e è un una per non sono con del della ma mi ho nel si come anche questo più al",
    nl: "de het een en van ik is niet dat je in te op voor met zijn er maar mijn heb naar aan ook bij wat kan hebben",
    pl: "i w na nie się z do to że jest jak ale o za po czy od tak co mój przez jestem mam są już",
    pt: "o a os as de que e do da em um uma para não com é se na no por mais mas meu foi ao você eu está",
    ro: "și de la în nu o cu pe este un care mai din să pentru am ce sunt dar fi",
    sv: "och att det i en är som på för av med jag inte den till har om var men ett kan så min",
    tr: "ve bir bu da de için ile ne çok ben mi var ama daha gibi değil olarak o kadar sonra nasıl",
  }).map(([language, words]) => [language, new Set(words.split(" "))]),
)
