import { z } from "zod"
import { firstMatches, severityOption, type Filter } from "../core/contracts/filter.ts"

const options = z.strictObject({ severity: severityOption("drop") })

// What a model says of itself; nobody else does.
const disclaimers = [
  /\b(?:as an?|i am an?|i['’]m an?|being an?) (?:AI|artificial intelligence|large language model|language model)\b(?! (?:engineer|researcher|student|startup|company|team|developer|specialist|expert|consultant))/i,
  /\bals (?:(?:ein )?(?:KI|künstliche Intelligenz)(?:-| )?(?:Modell|Sprachmodell|Assistent)?|(?:ein )?Sprachmodell)\b(?=[^.!?\n]{0,60}\b(?:kann|darf|habe|bin)\b)/iu,
  /\ben tant qu['’](?:IA|intelligence artificielle|assistant IA|une IA|une intelligence artificielle|(?:un )?modèle de lang(?:age|ue))(?!\p{L})/iu,
  /\bcomo (?:una? |uma? )?(?:IA|inteligencia artificial|inteligência artificial|(?:modelo|asistente|assistente) de (?:lenguaje|linguagem|IA))(?!\p{L})/iu,
  /\b(?:in quanto|come) (?:IA|intelligenza artificiale|modello linguistico)(?!\p{L})/iu,
  /\bals (?:AI|taalmodel|kunstmatige intelligentie)(?:[- ](?:taalmodel|assistent|model))?\b(?=[^.!?\n]{0,60}\b(?:kan|mag|heb|ben)\b)/iu,
  /\bjako (?:AI|sztuczna inteligencja|model językowy)(?!\p{L})/iu,
  /\bbir yapay zek[aâ] (?:olarak|modeliyim|asistanıyım)(?!\p{L})/iu,
  /作为(?:一个|一名)?(?:AI|人工智能|语言模型|大型语言模型)/i,
  /(?:AI|人工知能|言語モデル)として/i,
  /как (?:ИИ|искусственный интеллект|языковая модель)(?!\p{L})/iu,
]

// At the beginning of a text, where a model declines. "I cannot log in" is a customer: the verb must be one of
// answering.
const refusals = [
  /^\W{0,3}(?:(?:I['’]m|I am) (?:very |really |so )?sorry|(?:my )?apologies|sorry),? (?:but )?(?:I|I['’]m|I am) (?:can(?:['’]t|not)|(?:am )?(?:unable|not able) to|won['’]t|don['’]t feel comfortable) ?(?:be able to )?(?:assist|help|comply|fulfil|provide|generate|create|write|answer|do that|support|engage|discuss|continue)/i,
  /^\W{0,3}I (?:can(?:['’]t|not)|won['’]t|am unable to|am not able to) (?:assist|help|comply|fulfil|provide|generate|create|produce|answer|engage|discuss|fulfill)\b/i,
  /^\W{0,3}(?:es tut mir leid|tut mir leid),? (?:aber )?(?:ich kann|das kann ich|dabei kann ich)[^.!?\n]{0,60}(?:nicht|keine)/iu,
  /^\W{0,3}(?:je suis )?désolée?,? (?:mais )?je ne (?:peux|suis) pas[^.!?\n]{0,40}(?:aider|répondre|fournir|générer|mesure)/iu,
  /^\W{0,3}lo siento,? (?:pero )?no puedo (?:ayudar|responder|proporcionar|generar|cumplir|asistir)/iu,
  /^\W{0,3}(?:desculpe|sinto muito|lamento),? (?:mas )?(?:eu )?não posso (?:ajudar|responder|fornecer|gerar)/iu,
  /^\W{0,3}mi dispiace,? (?:ma )?non posso (?:aiutar|rispondere|fornire|generare)/iu,
  /^\W{0,3}(?:het spijt me|sorry),? (?:maar )?ik kan (?:je |u )?(?:daar|hier|dat|dit)?[^.!?\n]{0,30}niet (?:bij |mee )?(?:helpen|beantwoorden|geven)/iu,
  /^\W{0,3}przykro mi,? (?:ale )?nie mogę (?:pomóc|odpowiedzieć|wygenerować)/iu,
  /^\W{0,3}üzgünüm,? (?:ama |ancak )?[^.!?\n]{0,40}yardımcı olamam/iu,
  /^(?:抱歉|对不起|很抱歉)[\uff0c,]?(?:但)?我(?:无法|不能)(?:提供|回答|帮助|协助|生成|满足)/,
  /^(?:申し訳(?:ありません|ございません)が|すみませんが)[、,].{0,30}(?:お答え|お手伝い|提供|生成).{0,8}(?:できません|できかねます)/,
]

/**
 * Answers in which a model declines or speaks of itself as one; a model that learns them declines as well. In inputs
 * only the second is looked for.
 */
const filter: Filter<z.output<typeof options>> = {
  summary: "refusals and “As an AI …”, in a dozen languages",
  codes: { "ai-disclaimer": "a model speaks of itself", refusal: "an output begins with a refusal" },
  options,
  find: (text, { place }) =>
    firstMatches(text, [
      ...disclaimers.map((pattern) => ({ code: "ai-disclaimer", pattern })),
      ...(place === "output" ? refusals.map((pattern) => ({ code: "refusal", pattern })) : []),
    ]),
}
export default filter
