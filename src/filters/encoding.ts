import { z } from "zod"
import { isAscii } from "../core/canonical.ts"
import { firstMatches, severityOption, type Filter } from "../core/contracts/filter.ts"

const options = z.strictObject({ severity: severityOption("drop") })

// The bytes 80 to BF, as Windows-1252 shows them.
const continuation = "[\\u0080-\\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"

const patterns = [
  { code: "replacement-character", pattern: /\ufffd/ },
  // The marks of three bytes: â€™ for an apostrophe, ï»¿ for a byte order mark, ðŸ for an emoji.
  { code: "mojibake", pattern: new RegExp(`(?:â€${continuation}|ï»¿|ðŸ${continuation})`, "u") },
  // Ã© for é, Â£ for £. After a capital letter Ã and Â are letters, and what may follow a word does not count: MAÇÃ».
  { code: "mojibake", pattern: new RegExp(`(?<!\\p{Lu})[ÃÂ]${continuation}`, "u") },
  { code: "mojibake", pattern: /[ÃÂ][\u0080-\u009f¡-ª¬\u00ad¯±-º¼-¾ƒˆŠŒŽšœžŸ]/u },
  // Greek and Cyrillic letters, two at least.
  { code: "mojibake", pattern: new RegExp(`(?:[ÎÏÐÑ]${continuation}){2}`, "u") },
]

/** Text that was decoded with the wrong table: UTF-8 read as Windows-1252, and bytes that could not be read at all. */
const filter: Filter<z.output<typeof options>> = {
  summary: "encoding damage: mojibake such as Ã©, and U+FFFD",
  codes: {
    mojibake: "UTF-8 that was read as Windows-1252 or Latin-1",
    "replacement-character": "U+FFFD, where a byte could not be read",
  },
  options,
  find: (text) => (isAscii(text) ? [] : firstMatches(text, patterns)),
}
export default filter
