import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import type { Artifact } from "../../core/contracts/backend.ts"

/** The file with its size and digest. */
export async function artifactOf(path: string): Promise<Artifact> {
  const sum = createHash("sha256")
  let bytes = 0
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    sum.update(piece)
    bytes += piece.byteLength
  }
  return { path, bytes, digest: `sha256:${sum.digest("hex")}` }
}
