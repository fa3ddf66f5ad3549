import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { inflateRawSync } from "node:zlib"

/**
 * The files below the folder, by paths from there, that say the text in any form that something writes it in: as it is,
 * as JSON, as JSON within JSON, as ASCII JSON, as HTML, in UTF-16, in base 64, and packed in a workbook.
 */
export function filesSaying(folder: string, text: string): string[] {
  const forms = formsOf(text)
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => contents(file).some((bytes) => forms.some((form) => bytes.includes(form))))
    .map((file) => file.slice(folder.length + 1))
    .sort()
}

function formsOf(text: string): Buffer[] {
  const json = JSON.stringify(text).slice(1, -1)
  const ascii = json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
  const html = text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
  const plain = [text, text.toLowerCase(), json, JSON.stringify(json).slice(1, -1), ascii, html]
  return [
    ...plain.map((form) => Buffer.from(form)),
    Buffer.from(text, "utf16le"),
    Buffer.from(text, "utf16le").swap16(),
    // The middle of a text in base 64 is the same wherever its third begins.
    ...[0, 1, 2].map((shift) =>
      Buffer.from(
        Buffer.from(`${"x".repeat(shift)}${text}`)
          .toString("base64")
          .slice(4, -4),
      ),
    ),
  ]
}

function contents(file: string): Buffer[] {
  const bytes = readFileSync(file)
  return bytes.subarray(0, 2).toString() === "PK" ? [bytes, ...unpacked(bytes)] : [bytes]
}

/** The parts of a ZIP archive, by the local headers that stand before them and the directory at its end. */
function unpacked(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let at = bytes.indexOf("PK\x01\x02"); at >= 0; at = bytes.indexOf("PK\x01\x02", at + 4)) {
    const [method, size, local] = [
      bytes.readUInt16LE(at + 10),
      bytes.readUInt32LE(at + 20),
      bytes.readUInt32LE(at + 42),
    ]
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28)
    const part = bytes.subarray(start, start + size)
    parts.push(method === 8 ? inflateRawSync(part) : part)
  }
  return parts
}
