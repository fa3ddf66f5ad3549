import { show } from "./parse.ts"

/** A plug-in as people write it, apart: the name of its file, and what follows the first colon. */
export interface PlugInName {
  readonly name: string
  readonly argument: string | undefined
}

/** `bleu:tokenize=intl` is the plug-in `bleu` with the argument `tokenize=intl`. */
export function plugInName(written: string): PlugInName {
  const colon = written.indexOf(":")
  return colon < 0
    ? { name: written, argument: undefined }
    : { name: written.slice(0, colon), argument: written.slice(colon + 1) }
}

/**
 * The options in an argument, written `key=value,key=value`. Numbers, `true` and `false` are read as what they are, all
 * else as text.
 */
export function optionsIn(argument: string | undefined): {
  readonly options: Readonly<Record<string, unknown>>
  readonly problems: readonly string[]
} {
  const options = new Map<string, unknown>()
  const problems: string[] = []
  for (const part of argument === undefined ? [] : argument.split(",")) {
    const equals = part.indexOf("=")
    const key = part.slice(0, equals).trim()
    if (equals < 0 || key === "") problems.push(`got ${show(part)}; options are written name:key=value,key=value`)
    else if (options.has(key)) problems.push(`the option ${key} stands there twice`)
    else options.set(key, readValue(part.slice(equals + 1).trim()))
  }
  return { options: Object.fromEntries(options), problems }
}

function readValue(text: string): unknown {
  if (text === "true" || text === "false") return text === "true"
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}
