import { randomBytes } from "node:crypto"
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { platform, userInfo } from "node:os"
import { dirname, join } from "node:path"
import { DataError } from "../../core/errors.ts"
import { flushFolder, makeFolder, writeError } from "./files.ts"
import { withLock } from "./lock.ts"
import { temporaryBeside } from "./temporaries.ts"

/**
 * The secret of the file, the same each time, in a folder that only this user can look into. One that other users could
 * read or write, or that came with a copy of the folder, is replaced: its file names its own inode, which no copy has.
 */
export function keptSecret(file: string): string {
  makePrivateFolder(dirname(file))
  return withLock(`${file}.lock`, file, () => {
    const kept = readSecret(file)
    if (kept !== undefined) return kept
    const secret = randomBytes(32).toString("base64url")
    writePrivately(file, (inode) => `${secret}\n${inode}\n`)
    return secret
  })
}

/** The file is whole or absent, and no other user can read it. `text` is told the inode that the file will have. */
export function writePrivately(file: string, text: (inode: bigint) => string): void {
  makePrivateFolder(dirname(file))
  const temporary = temporaryBeside(file)
  try {
    const descriptor = openSync(temporary, "wx", 0o600)
    try {
      writeFileSync(descriptor, text(fstatSync(descriptor, { bigint: true }).ino))
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw writeError(file, error)
  }
  flushFolder(dirname(file))
}

/** The file is gone, or was not there. */
export function removePrivate(file: string): void {
  rmSync(file, { force: true })
}

/** Undefined where the file is absent, damaged, another user's, open to others or a copy. */
function readSecret(file: string): string | undefined {
  let descriptor: number
  try {
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  } catch {
    return undefined
  }
  try {
    const { ino, mode, uid, size } = fstatSync(descriptor, { bigint: true })
    const isFile = lstatSync(file).isFile()
    if (!isFile || size > mostBytes || !isOwn(Number(uid)) || (hasModes && (Number(mode) & 0o077) !== 0))
      return undefined
    const [, secret, inode] = /^([\w-]{43})\n(\d+)\n$/.exec(readFileSync(descriptor, "utf8")) ?? []
    return inode === String(ino) ? secret : undefined
  } finally {
    closeSync(descriptor)
  }
}

const mostBytes = 200
const hasModes = platform() !== "win32"

/** Git leaves out what is in it, whatever the workspace's own list says. */
function makePrivateFolder(folder: string): void {
  makeFolder(folder)
  const status = lstatSync(folder)
  if (!status.isDirectory() || !isOwn(status.uid))
    throw new DataError(
      `${folder} is for what only you may read, but is ` +
        (status.isDirectory() ? "another user's" : "no folder of its own"),
      [],
      "Remove it, and run the command again.",
    )
  try {
    chmodSync(folder, 0o700)
    writeFileSync(join(folder, ".gitignore"), "*\n", { flag: "wx", mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw writeError(folder, error)
  }
}

/** Where the system cannot say who this is, the modes must do. */
function isOwn(uid: number): boolean {
  try {
    return !hasModes || userInfo().uid === uid
  } catch {
    return true
  }
}
