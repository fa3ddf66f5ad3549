import { spansOf, type Span } from "./spans.ts"

/**
 * Where credentials stand in a text: API keys by their issuers' prefixes, private keys, JSON web tokens. High
 * precision: no guess by entropy. In the order of their starts within each shape.
 */
export function findSecrets(text: string): Span[] {
  return shapes.flatMap(({ pattern, isReal }) => spansOf(text, pattern, isReal))
}

/** False only where no shape can match: each has one of these beginnings. */
export function mayHaveSecret(text: string): boolean {
  return (
    bareBeginnings.some((beginning) => text.includes(beginning)) ||
    ((text.includes("-") || text.includes("_")) && joinedBeginnings.test(text))
  )
}

const bareBeginnings = ["AKIA", "ASIA", "AIza", "SG.", "eyJ", "://"]
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
  // JWT: the first two parts are JSON objects in base64
  { pattern: /(?<![\w.])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g },
]
