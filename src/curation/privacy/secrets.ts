import { patternOf, spansOf, type Span } from "./spans.ts"

/**
 * Where credentials stand in a text: API keys by their issuers' prefixes, private keys, JSON web tokens, and what
 * follows the word for a password, a key or a bearer. High precision: no guess by entropy. In the order of their starts
 * within each shape.
 */
export function findSecrets(text: string): Span[] {
  return shapes.flatMap(({ pattern, isReal }) => spansOf(text, pattern, isReal))
}

/** False only where no shape can match: each has one of these beginnings. */
export function mayHaveSecret(text: string): boolean {
  return (
    bareBeginnings.some((beginning) => text.includes(beginning)) ||
    namedBeginnings.test(text) ||
    ((text.includes("-") || text.includes("_")) && joinedBeginnings.test(text))
  )
}

const bareBeginnings = ["AKIA", "ASIA", "AIza", "SG.", "eyJ", "://"]
const namedBeginnings = patternOf(
  "i",
  String.raw`(?:pass(?:word|wd|phrase|code|wort|e)|pwd|kennwort|contraseña)(?:\s{0,3}[:=]|\s{1,3}is| ist)|bearer\s|`,
  String.raw`(?:key|token|secret)["']?\s{0,3}[:=]|access[ _-]?key `,
)
const joinedBeginnings = /sk-|gh[opsur]_|github_pat_|xox|[rs]k_|glpat-|npm_|hf_|-----BEGIN/

const shapes: readonly { readonly pattern: RegExp; readonly isReal?: (found: string) => boolean }[] = [
  // OpenAI, Anthropic and others: sk-…, sk-proj-…, sk-ant-…; a slug such as sk-how-to-learn has no long run with a
  // digit.
  {
    pattern: /(?<![\w-])sk-[A-Za-z0-9_-]{20,}/g,
    isReal: (found) => found.split(/[-_]/).some((run) => run.length >= 16 && /\d/.test(run) && /[A-Za-z]/.test(run)),
  },
  // GitHub
  { pattern: /(?<!\w)gh[opsur]_[A-Za-z0-9]{36,}/g },
  { pattern: /(?<!\w)github_pat_[A-Za-z0-9_]{22,}/g },
  // Amazon
  {
    pattern: /(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Za-z0-9])/g,
    isReal: (found) => /\d/.test(found.slice(4)),
  },
  // Slack
  { pattern: /(?<!\w)xox[abeoprs]-[A-Za-z0-9-]{10,}/g, isReal: (found) => /\d/.test(found) },
  // Google, Stripe, GitLab, npm, SendGrid
  { pattern: /(?<![\w-])AIza[A-Za-z0-9_-]{35}(?![\w-])/g },
  { pattern: /(?<!\w)[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/g },
  { pattern: /(?<![\w-])glpat-[A-Za-z0-9_-]{20,}/g },
  { pattern: /(?<!\w)npm_[A-Za-z0-9]{36}(?!\w)/g },
  { pattern: /(?<![\w.])SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![\w-])/g },
  // A password in an address
  { pattern: /(?<=\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/]{1,64}:)[^\s:@/]{3,128}(?=@[\w.-]+)/gi },
  // Hugging Face
  { pattern: /(?<!\w)hf_[A-Za-z0-9]{30,}/g },
  // PEM: to its end, or the header alone where the rest is missing
  {
    pattern:
      /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----(?:[A-Za-z0-9+/=\s:,-]*?-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----)?/g,
  },
  // After their names. A word that begins a sentence is no password: it has a digit or a sign in it.
  {
    pattern: patternOf(
      "giu",
      String.raw`(?<=(?<![\p{L}\p{N}])(?:pass(?:word|wd|phrase|code|wort)|pwd|kennwort|contraseña|mot de passe)(?`,
      ":\\s{1,3}is)?\\s{0,3}[:=]\\s{0,3}[\"'`]?)[^\\s\"'`,;<>[\\]{}()*]{4,64}",
    ),
    isReal: isPassword,
  },
  {
    pattern: /(?<=(?<![\p{L}\p{N}])(?:password|passcode|passwort) (?:is|ist) ["'`]?)[^\s"'`,;<>[\]{}()*]{6,64}/giu,
    isReal: (found) => isPassword(found) && /\d/.test(found) && /\p{L}/u.test(found),
  },
  { pattern: /(?<=\bbearer\s{1,3})[A-Za-z0-9._~+/-]{16,}=*/gi, isReal: isToken },
  {
    pattern: patternOf(
      "gi",
      String.raw`(?<=(?<![A-Za-z0-9])secret[ _-]?(?:access[ _-]?)?key["']?\s{0,3}[:= ]\s{0,3}["']?)[A-Za-z0-9/+]{`,
      "40}(?![A-Za-z0-9/+=])",
    ),
    isReal: isToken,
  },
  {
    pattern: patternOf(
      "gi",
      String.raw`(?<=(?<![A-Za-z0-9])(?:api|access|auth|client|secret)[ _-]?(?:key|token|secret)["']?\s{0,3}[:=]`,
      String.raw`\s{0,3}["']?)[A-Za-z0-9._~+/-]{16,}=*`,
    ),
    isReal: isToken,
  },
  // JWT: the first two parts are JSON objects in base64
  { pattern: /(?<![\w.])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g },
]

/** Ends without the punctuation of its sentence. */
function isPassword(found: string): boolean {
  return /[\d!@#$%^&+=~]/.test(found.replace(/[.!?:]+$/, "")) && !/^\p{L}+:?\/\//u.test(found)
}

function isToken(found: string): boolean {
  return /\d/.test(found) && /[A-Za-z]/.test(found)
}
