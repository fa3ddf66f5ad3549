import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import { DataError } from "../../core/errors.ts"
import { parseJson } from "../../core/json-text.ts"
import type { Example, Preference } from "../../core/rows/example.ts"
import type { DatasetManifest, HoldoutManifest } from "../../core/rows/manifests.ts"
import {
  datasetIdSchema,
  isDatasetId,
  isHoldoutId,
  type DatasetId,
  type FrozenId,
  type HoldoutId,
} from "../../core/rows/frozen-ids.ts"
import { jsonPieces } from "../files/atomic-writer.ts"
import { erasedMark, type ErasedMark } from "./erasures.ts"
import {
  createFolderAtomically,
  createFolderByContent,
  digestFile,
  readLines,
  readText,
  type Publish,
  toJsonLines,
  writeAtomically,
} from "../files/files.ts"
import { writeDigested } from "../files/staged-file.ts"
import type { Workspace } from "../workspace.ts"
import { parseFrozenRow, type FrozenRows } from "./frozen-rows.ts"
import { datasetManifestSchema, holdoutManifestSchema } from "./manifest-schema.ts"
import { readJsonFile } from "../files/json-file.ts"

const manifestFile = "manifest.json"
const restoring = "A version is immutable: restore the file, or delete the folder and run `tuneloop build` again."
const latestSchema = z.looseObject({ version: datasetIdSchema })

/** The dataset versions and holdouts of a task: immutable folders, named by their content. */
export class Versions {
  private readonly workspace: Workspace
  private readonly task: string
  private readonly commit: Publish

  /** What is frozen gets its name through `commit`. */
  constructor(workspace: Workspace, task: string, commit: Publish = (write) => write()) {
    this.workspace = workspace
    this.task = task
    this.commit = commit
  }

  folder(id: string): string {
    return join(this.workspace.taskFolder(this.task), isHoldoutId(id) ? "holdouts" : "versions", id)
  }
  has(id: string): id is FrozenId {
    // An id is typed by people: it must not reach another folder.
    return /^(ds|hold)_[A-Za-z0-9]+$/.test(id) && existsSync(join(this.folder(id), manifestFile))
  }
  /** The ids of the versions, in the order of their names. */
  ids(): DatasetId[] {
    const folder = join(this.workspace.taskFolder(this.task), "versions")
    return existsSync(folder) ? readdirSync(folder).filter(isDatasetId).sort() : []
  }

  /** The ids of the holdouts, in the order of their names. */
  holdoutIds(): HoldoutId[] {
    const folder = join(this.workspace.taskFolder(this.task), "holdouts")
    return existsSync(folder)
      ? readdirSync(folder)
          .filter(isHoldoutId)
          .filter((name) => this.has(name))
          .sort()
      : []
  }
  /** The files of a holdout's rows. */
  holdoutFiles(holdout: HoldoutId): string[] {
    return ["validation.jsonl", "test.jsonl"].map((file) => join(this.folder(holdout), file))
  }
  /** All files of a version or holdout, sorted. */
  filesOf(id: FrozenId): string[] {
    return readdirSync(this.folder(id))
      .sort()
      .map((name) => join(this.folder(id), name))
  }
  /** The ids of a holdout's test rows, and nothing else of them: no opening. */
  testIds(holdout: HoldoutId): string[] {
    return this.rows(holdout, "test.jsonl").map(({ id }) => id)
  }
  /**
   * The ids and inputs of a holdout's rows, never their outputs: for asking a model that goes, and for finding its
   * answers again. No opening, so nobody may be shown them.
   */
  questions(holdout: HoldoutId, file: "validation.jsonl" | "test.jsonl"): Pick<Example, "id" | "input">[] {
    return this.rows(holdout, file).map(({ id, input }) => ({ id, input }))
  }

  async freezeHoldout(
    manifest: HoldoutManifest,
    { validation, test }: { readonly validation: readonly Example[]; readonly test: readonly Example[] },
  ): Promise<void> {
    const fill = (temporary: string) => {
      writeAtomically(join(temporary, "validation.jsonl"), toJsonLines(validation))
      writeAtomically(join(temporary, "test.jsonl"), toJsonLines(test))
      writeManifest(temporary, manifest)
    }
    await createFolderAtomically(this.folder(manifest.id), fill, this.commit)
  }
  /**
   * The version of these files is there, under the id that follows from them. Returns its manifest, and whether it was
   * not there before; undefined where `inspect` finds leaks in the files as they are written, and then nothing is
   * there.
   */
  async freezeVersion(
    planned: PlannedVersion,
    files: InspectedFiles,
  ): Promise<{ readonly manifest: DatasetManifest; readonly isNew: boolean } | undefined> {
    try {
      const { name, isNew } = await this.createVersion(planned, files)
      return { manifest: this.manifest(name), isNew }
    } catch (error) {
      if (error instanceof LeaksFound) return undefined
      throw error
    }
  }

  private createVersion(
    planned: PlannedVersion,
    files: InspectedFiles,
  ): Promise<{ readonly name: DatasetId; readonly isNew: boolean }> {
    const { read, kept } = planned.manifest
    const fill = async (temporary: string) => {
      const written: WrittenFiles = {
        folder: temporary,
        train: join(temporary, "train.jsonl"),
        dropped: join(temporary, "dropped.jsonl"),
      }
      const writing = [files.train(written.train), files.dropped(written.dropped)] as const
      // Where one fails, the other is not left at work in a folder that goes.
      await Promise.allSettled(writing)
      const [train, dropped] = await Promise.all(writing)
      const { preferences } = files
      const found = await files.inspect(written)
      if (found > 0) throw new LeaksFound()
      const manifest = withFiles(planned, found, {
        "train.jsonl": { rows: kept, digest: train },
        "dropped.jsonl": { rows: read - kept, digest: dropped },
        ...(preferences.length === 0
          ? {}
          : {
              "preferences.jsonl": {
                rows: preferences.length,
                digest: writeDigested(join(temporary, "preferences.jsonl"), jsonPieces(preferences)),
              },
            }),
      })
      writeManifest(temporary, manifest)
      return manifest.id
    }
    return createFolderByContent(join(this.workspace.taskFolder(this.task), "versions"), fill, this.commit)
  }

  /** The manifest of a version or holdout that exists. */
  manifest(id: DatasetId): DatasetManifest
  manifest(id: HoldoutId): HoldoutManifest
  manifest(id: FrozenId): DatasetManifest | HoldoutManifest
  manifest(id: FrozenId): DatasetManifest | HoldoutManifest {
    if (!this.has(id)) {
      const existing = this.ids()
      throw new DataError(
        `task ${this.task} has no ${isHoldoutId(id) ? "holdout" : "dataset version"} ${id}${existing.length > 0 ? `; it has: ${existing.join(", ")}` : ""}`,
        [],
        `Make one: tuneloop build ${this.task}`,
      )
    }
    const file = join(this.folder(id), manifestFile)
    return isHoldoutId(id) ? readJsonFile(file, holdoutManifestSchema) : readJsonFile(file, datasetManifestSchema)
  }

  /** The rows of a file of a version or holdout, checked against the digest in its manifest. */
  rows<File extends keyof FrozenRows>(id: FrozenId, file: File): FrozenRows[File][] {
    return [...this.each(id, file)]
  }
  /** What an erasure took from the version or holdout; undefined when it is whole. */
  private erasedMark(id: string): ErasedMark | undefined {
    return erasedMark(this.folder(id))
  }
  /** The version or its holdout, where rows were erased from it: then it is no longer what its id says. */
  erasedPart({ id, holdout }: DatasetManifest): string | undefined {
    return [id, holdout].find((part) => this.erasedMark(part) !== undefined)
  }
  /** The preferences of a version; none for a version without the file. */
  preferences(id: DatasetId): Preference[] {
    return this.manifest(id).files["preferences.jsonl"] === undefined ? [] : this.rows(id, "preferences.jsonl")
  }

  /**
   * The rows of a file of a version or holdout one by one, and anew each time that they are gone through; its digest is
   * checked before the first. A line that is no such row is a DataError with its place.
   */
  each<File extends keyof FrozenRows>(id: FrozenId, file: File): Iterable<FrozenRows[File]> {
    return { [Symbol.iterator]: () => this.eachOnce(id, file) }
  }

  private *eachOnce<File extends keyof FrozenRows>(id: FrozenId, file: File): Generator<FrozenRows[File]> {
    const path = join(this.folder(id), file)
    const mark = this.erasedMark(id)
    const expected = (mark?.files[file] ?? this.manifest(id).files[file])?.digest
    const actual = existsSync(path) ? digestFile(path) : undefined
    if (expected === undefined || actual !== expected)
      throw new DataError(
        `${this.workspace.show(path)} is not what its manifest says: ${actual ?? "the file is missing"}, not ` +
          `${expected}`,
        [],
        mark === undefined
          ? restoring
          : `Rows were erased from it: finish an erasure that was interrupted by tuneloop dataset erase ${this.task} --yes`,
      )
    for (const { text, number: line } of readLines(path)) {
      const parsed = parseFrozenRow(file, text)
      if ("row" in parsed) {
        yield parsed.row
        continue
      }
      const { problem: message, path: field } = parsed
      const issue = { file: this.workspace.show(path), line, ...(field === undefined ? {} : { path: field }), message }
      throw new DataError(`${issue.file} is damaged`, [issue], restoring)
    }
  }

  /** The version that was built last here, if any: its id is kept beside the versions, for `dataset: latest`. */
  latest(): DatasetId | undefined {
    const file = this.latestFile()
    if (!existsSync(file)) return undefined
    const { data } = latestSchema.safeParse(parseJson(readText(file)))
    if (data === undefined)
      throw new DataError(
        `${this.workspace.show(file)} names no dataset version`,
        [],
        `Delete the file and run: tuneloop build ${this.task}`,
      )
    return this.has(data.version) ? data.version : undefined
  }
  setLatest(version: DatasetId): void {
    if (this.latest() !== version)
      this.commit(() => writeAtomically(this.latestFile(), `${JSON.stringify({ version })}\n`))
  }

  /** The files of the version that was built last, with that which names it. */
  latestFiles(): string[] {
    const latest = this.latest()
    return [this.latestFile(), ...(latest === undefined ? [] : this.filesOf(latest))]
  }

  /** The files of its holdout. */
  latestHoldoutFiles(): string[] {
    const latest = this.latest()
    return latest === undefined ? [] : this.filesOf(this.manifest(latest).holdout)
  }

  private latestFile(): string {
    return join(this.workspace.taskFolder(this.task), "versions", "latest.json")
  }
}

/** A version but for its files and what is found in them, and how its id follows from the files. */
export interface PlannedVersion {
  readonly manifest: Omit<DatasetManifest, "files" | "id" | "leaks">
  /** The checks for leaks that ran. */
  readonly leakChecks: readonly string[]
  idOf(files: DatasetManifest["files"]): DatasetId
}

/** What a version is made of. A file is written when it is asked for; resolves to its digest. */
export interface VersionFiles {
  readonly train: (path: string) => Promise<string>
  readonly dropped: (path: string) => Promise<string>
  readonly preferences: readonly Preference[]
}

/** The files of a version as they lie on disk before it is there. */
export interface WrittenFiles {
  readonly folder: string
  readonly train: string
  readonly dropped: string
}

/** Says how many leaks are in the files once they are written. */
export interface InspectedFiles extends VersionFiles {
  readonly inspect: (written: WrittenFiles) => Promise<number>
}

class LeaksFound extends Error {}

function writeManifest(folder: string, manifest: unknown): void {
  writeAtomically(join(folder, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`)
}

/** With the files where they have always stood among its keys. */
function withFiles(
  { manifest, leakChecks: checks, idOf }: PlannedVersion,
  found: number,
  files: DatasetManifest["files"],
): DatasetManifest {
  const { schemaVersion, task, kind, holdout, recipe, ...counts } = manifest
  return { schemaVersion, id: idOf(files), task, kind, holdout, recipe, files, ...counts, leaks: { checks, found } }
}
