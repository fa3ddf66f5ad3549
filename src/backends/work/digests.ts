import { createHash, hash } from "node:crypto"
import { createReadStream } from "node:fs"
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"

/** Gives the digest of a file; one may remember those of files that have not changed. */
export type DigestFile = (path: string) => Promise<string>

/** SHA-256 of the file's bytes in hexadecimal digits, read piece by piece. */
export const fileDigest: DigestFile = async (path) => {
  const sum = createHash("sha256")
  await pipeline(createReadStream(path), sum)
  return sum.digest("hex")
}

/**
 * The digest of all files of a folder, by name and content: SHA-256 over the lines `<SHA-256 of the file> <name>`, by
 * name, as the trainer computes that of an adapter; and their bytes. Hidden files and folders may be passed over.
 */
export async function folderDigest(
  folder: string,
  options: { readonly digestFile?: DigestFile; readonly skipHidden?: boolean } = {},
): Promise<{ readonly digest: string; readonly bytes: number }> {
  const { digestFile = fileDigest, skipHidden = false } = options
  const lines: string[] = []
  let bytes = 0
  for (const parts of (await filesIn(folder, [], skipHidden)).sort(compareParts)) {
    const path = join(folder, ...parts)
    lines.push(`${await digestFile(path)} ${parts.join("/")}\n`)
    bytes += (await stat(path)).size
  }
  return { digest: `sha256:${hash("sha256", lines.join(""), "hex")}`, bytes }
}

/** The files below the folder as the parts of their paths; what a link names counts as what it is. */
async function filesIn(folder: string, under: readonly string[], skipHidden: boolean): Promise<string[][]> {
  const found: string[][] = []
  for (const name of await readdir(join(folder, ...under))) {
    if (skipHidden && name.startsWith(".")) continue
    const parts = [...under, name]
    const kind = await stat(join(folder, ...parts))
    if (kind.isDirectory()) found.push(...(await filesIn(folder, parts, skipHidden)))
    else if (kind.isFile()) found.push(parts)
  }
  return found
}

function compareParts(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [left = "", right = ""] = [a[index], b[index]]
    if (left !== right) return left < right ? -1 : 1
  }
  return a.length - b.length
}
