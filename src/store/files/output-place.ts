import { dirname, join } from "node:path"

/** Where something is written that a person names: as one file, or as several in a folder. */
export interface OutputPlace {
  readonly isFile: boolean
  /** The folder that must be there. */
  readonly folder: string
  /** The place of the part that has this name in a folder. */
  partFile(name: string): string
}

/** The output is one file where it has the ending, else a folder. */
export function outputPlace(output: string, ending: string): OutputPlace {
  return output.endsWith(ending)
    ? { isFile: true, folder: dirname(output), partFile: () => output }
    : { isFile: false, folder: output, partFile: (name) => join(output, name) }
}
