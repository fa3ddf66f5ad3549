/**
 * The base of every failure a user can do something about: `message` says what failed with the value got and the values
 * allowed, `hint` is the next command or edit. Anything that is not a ToolkitError is a bug of ours (exit code 70).
 */
export class ToolkitError extends Error {
  readonly code: string
  readonly hint: string | undefined
  readonly exitCode: ExitCode

  constructor(message: string, options: { code: string; hint?: string; exitCode?: ExitCode; cause?: unknown }) {
    super(redactSecrets(message), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = options.code
    this.hint = options.hint === undefined ? undefined : redactSecrets(options.hint)
    this.exitCode = options.exitCode ?? exitCodes.failure
  }
}

/** The exit codes of the command line; a stable contract. */
export const exitCodes = {
  done: 0,
  failure: 1,
  usage: 2,
  personNeeded: 3,
  gateSaidNo: 4,
  bug: 70,
  interrupted: 130,
} as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** The command was typed wrongly: an unknown option, a missing argument, an option that needs another. */
export class UsageError extends ToolkitError {
  constructor(message: string, hint?: string) {
    super(message, { code: "usage", hint, exitCode: exitCodes.usage })
  }
}

/** A file that people write (specification, job, workspace) is invalid; every issue is listed, each with its place. */
export class ConfigError extends ToolkitError {
  readonly issues: readonly Issue[]

  constructor(message: string, issues: readonly Issue[], hint?: string) {
    super([message, ...issues.map((issue) => `  ${formatIssue(issue)}`)].join("\n"), {
      code: "invalid-config",
      hint,
      exitCode: exitCodes.usage,
    })
    this.issues = issues
  }
}

/** Rows of a data file are invalid; every issue is listed, each with its file and line. */
export class DataError extends ToolkitError {
  readonly issues: readonly Issue[]

  constructor(message: string, issues: readonly Issue[] = [], hint?: string) {
    super([message, ...listIssues(issues)].join("\n"), { code: "invalid-data", hint })
    this.issues = issues
  }
}

/** A credential is missing or refused; names the environment variable and never its value. */
export class CredentialError extends ToolkitError {
  constructor(message: string, hint: string) {
    super(message, { code: "credential", hint, exitCode: exitCodes.usage })
  }
}

/** A model server, provider or trainer failed; `isRetryable` follows the one retry policy. */
export class ProviderError extends ToolkitError {
  readonly provider: string
  readonly status: number | undefined
  readonly isRetryable: boolean
  readonly retryAfterMs: number | undefined
  /** Whether the server may have done the work, and been paid for it, although no whole answer came of it. */
  readonly mayHaveCost: boolean
  /** The server understood the question, and its rules on content keep it from answering. */
  readonly isRefusal: boolean
  /** Why the model's answer is there and not read; it would be no other if it were asked again. */
  readonly unread: "too long" | "nested too deep" | undefined
  /** Whether nobody answered at all: whatever else is asked of this server will fail as well. */
  readonly isUnreachable: boolean

  constructor(
    message: string,
    options: {
      provider: string
      status?: number
      isRetryable?: boolean
      retryAfterMs?: number | undefined
      mayHaveCost?: boolean
      isRefusal?: boolean
      unread?: ProviderError["unread"]
      isUnreachable?: boolean
      hint?: string
      cause?: unknown
    },
  ) {
    super(message, { code: "provider", hint: options.hint, cause: options.cause })
    this.provider = options.provider
    this.status = options.status
    this.isRetryable = options.isRetryable ?? false
    this.retryAfterMs = options.retryAfterMs
    this.mayHaveCost = options.mayHaveCost ?? true
    this.isRefusal = options.isRefusal ?? false
    this.unread = options.unread
    this.isUnreachable = options.isUnreachable ?? false
  }
}

/** It is not known whether a submit created a job: nobody submits again before `find` has answered. */
export class JobMayExistError extends ProviderError {}

/** A gate said no: a dataset with a leak, a row that would be cut. */
export class GateError extends ToolkitError {
  constructor(message: string, hint?: string) {
    super(message, { code: "gate", hint, exitCode: exitCodes.gateSaidNo })
  }
}

/** A money ceiling is reached; nothing above it was spent. */
export class BudgetError extends ToolkitError {
  constructor(message: string, hint: string) {
    super(message, { code: "budget", hint, exitCode: exitCodes.gateSaidNo })
  }
}

/** A person must act before the work can go on; the hint is the command that does it. */
export class PersonNeededError extends ToolkitError {
  constructor(message: string, hint: string) {
    super(message, { code: "person-needed", hint, exitCode: exitCodes.personNeeded })
  }
}

/** One problem and its place: `file:line` where known, the path inside the document, what is wrong. */
export interface Issue {
  readonly file?: string
  readonly line?: number
  readonly path?: string
  readonly message: string
}

/** `file:line: path: message`, leaving out what is not known. */
export function formatIssue(issue: Issue): string {
  const place =
    issue.file === undefined ? "" : issue.line === undefined ? `${issue.file}: ` : `${issue.file}:${issue.line}: `
  return `${place}${issue.path ? `${issue.path}: ` : ""}${issue.message}`
}

const listedIssues = 20

function listIssues(issues: readonly Issue[]): string[] {
  const lines = issues.slice(0, listedIssues).map((issue) => `  ${formatIssue(issue)}`)
  if (issues.length > listedIssues) lines.push(`  … and ${issues.length - listedIssues} more`)
  return lines
}

/** Replaces what looks like an API key or bearer token, so that no error ever carries a secret. */
export function redactSecrets(text: string): string {
  return (
    text
      .replace(/\b(?:sk|pk|hf|ghp|gho|xox[abp])[-_][A-Za-z0-9_-]{8,}/g, "[secret]")
      .replace(/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, "$1 [secret]")
      // The user and password of an address, also where the text was cut before its host.
      .replace(/(:\/\/)[^\s/?#@"']{1,512}@/g, "$1[secret]@")
      .replace(/(:\/\/[^\s/?#@:"']{1,256}:)[^\s/?#@"']{1,512}…/g, "$1[secret]…")
      .replace(
        /([?&][\w.-]{0,64}(?:key|token|secret|password|passwd|signature|sig|auth|code)=)[^\s&#"'…]+/gi,
        "$1[secret]",
      )
  )
}
