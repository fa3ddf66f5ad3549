/**
 * The way to the machine where a runner works. What cannot be reached throws a retryable ProviderError: never is a lost
 * connection read as a file that is not there or a process that is dead.
 */
export interface Transport {
  readonly name: string
  /** Where a file or folder of this machine lies there. */
  place(local: string): string
  /** The file or folder is there, whole or not at all; what was there is replaced. */
  put(local: string, remote: string): Promise<void>
  /** The file or folder that lies there is here, whole or not at all; what was here is replaced. */
  get(remote: string, local: string): Promise<void>
  /**
   * Starts a process in a group of its own that outlives this one. Returns when it exists. Throws a JobMayExistError
   * where that is not known.
   */
  start(command: DetachedCommand): Promise<ProcessRef>
  /** A file's bytes from the offset on, and how long it is; undefined where there is no such file. */
  read(remote: string, offset?: number): Promise<FilePart | undefined>
  isAlive(process: ProcessRef): Promise<boolean>
  /** To the whole process group; nothing happens where it is gone. */
  signal(process: ProcessRef, signal: "TERM" | "KILL"): Promise<void>
}

/** All paths are those of the other machine. */
export interface DetachedCommand {
  readonly words: readonly [string, ...string[]]
  readonly environment: Readonly<Record<string, string>>
  /** The working folder, which is made. */
  readonly folder: string
  /** Where standard output and error are appended. */
  readonly log: string
}

export interface FilePart {
  readonly bytes: Uint8Array
  readonly size: number
}

/** A process by its number and start time, for numbers are given out again; `null` where there is no /proc. */
export interface ProcessRef {
  readonly pid: number
  readonly startedTicks: number | null
}
