import { closeSync, openSync, readSync } from "node:fs"

/**
 * The encoding in which spreadsheets may have saved the text: by its byte order mark, by the zeros of UTF-16, UTF-8
 * where all of it is valid, else Windows-1252, in which any bytes are a text.
 */
export function encodingOf(path: string): "utf-8" | "utf-16le" | "utf-16be" | "windows-1252" {
  const descriptor = openSync(path, "r")
  try {
    const bytes = Buffer.alloc(1 << 20)
    const decoder = new TextDecoder("utf-8", { fatal: true })
    for (let isFirst = true; ; isFirst = false) {
      const part = bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, null))
      if (isFirst) {
        const wide = wideEncoding(part.subarray(0, 1024))
        if (wide !== undefined) return wide
      }
      decoder.decode(part, { stream: part.length > 0 })
      if (part.length === 0) return "utf-8"
    }
  } catch (error) {
    if (error instanceof TypeError) return "windows-1252"
    throw error
  } finally {
    closeSync(descriptor)
  }
}

/** Whether the file begins with the mark of UTF-16. */
export function isWide(path: string): boolean {
  const descriptor = openSync(path, "r")
  try {
    const bytes = Buffer.alloc(2)
    return readSync(descriptor, bytes) === 2 && markedEncoding(bytes) !== undefined
  } finally {
    closeSync(descriptor)
  }
}

/** UTF-16, where the bytes begin with its mark. */
export function markedEncoding(bytes: Buffer): "utf-16le" | "utf-16be" | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le"
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : undefined
}

function wideEncoding(bytes: Buffer): "utf-16le" | "utf-16be" | undefined {
  const marked = markedEncoding(bytes)
  if (marked !== undefined) return marked
  const zeros = [0, 0]
  bytes.forEach((byte, index) => {
    if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1
  })
  const [even = 0, odd = 0] = zeros
  if (odd > bytes.length / 4 && even === 0) return "utf-16le"
  return even > bytes.length / 4 && odd === 0 ? "utf-16be" : undefined
}

/** The bytes as text without a byte order mark, a character that is cut between two pieces whole. */
export async function* decodedChunks(pieces: AsyncIterable<Buffer>, encoding: string): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding)
  for await (const piece of pieces) yield decoder.decode(piece, { stream: true })
  yield decoder.decode()
}

const byteOf = new Map(
  Array.from({ length: 256 }, (_, byte) => [new TextDecoder("windows-1252").decode(Uint8Array.of(byte)), byte]),
)

/** The text before its UTF-8 was read as Windows-1252; a text to which that did not happen as it is. */
export function repairTwiceEncoded(text: string): string {
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) {
    const byte = byteOf.get(text[at] as string)
    if (byte === undefined) return text
    bytes[at] = byte
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return text
  }
}
