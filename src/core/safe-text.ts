/**
 * The text as a terminal may be given it: characters that steer a terminal, or turn the direction of writing, stand as
 * `\x1b` and the like. Data may hold any of them; of our own only the colours that this house uses are kept, where they
 * are wanted.
 */
export function safeText(text: string, { colour }: { readonly colour: boolean }): string {
  return text.replace(steering, (found) => (colour && found.length > 1 ? found : escaped(found)))
}

/** JSON that is safe to look at: it reads back as the same. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(steeringInJson, (character) => unicode(character))
}

/** A colour of ours as one, and anything else that steers by itself; a line feed and a tab are none. */
const steering = /\u001b\[(?:[0-2]|3[123]|1;3[13])m|[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
const steeringInJson = /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

function escaped(found: string): string {
  return Array.from(found, (character) => {
    const code = character.charCodeAt(0)
    if (code >= 0x20 && code < 0x7f) return character
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : unicode(character)
  }).join("")
}

function unicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
}
