import type { DatasetId, HoldoutId } from "./frozen-ids.ts"

/** What a dataset version says of itself; its id is the digest of the recipe and of the rows' revisions. */
export interface DatasetManifest {
  readonly schemaVersion: 1
  readonly id: DatasetId
  readonly task: string
  readonly kind: string
  readonly holdout: HoldoutId
  readonly recipe: Readonly<Record<string, unknown>>
  readonly files: Readonly<Record<string, { readonly rows: number; readonly digest: string }>>
  readonly read: number
  readonly kept: number
  readonly dropped: Readonly<Record<string, number>>
  readonly conflicts: number
  /**
   * How often each code of each quality filter was found in rows that stay, held-out ones included:
   * `encoding/mojibake`.
   */
  readonly flagged: Readonly<Record<string, number>>
  /**
   * What was done about personal data, in the rows that were read for the version and its holdout: found things a kind.
   */
  readonly personalData: {
    readonly policy: string
    readonly rows: number
    readonly found: Readonly<Record<string, number>>
  }
  /**
   * Where the specification gives the prevalence: what it asks of the train rows (`targets`), and what a row counts for
   * in training, by stratum.
   */
  readonly prevalence?: {
    readonly targets: Readonly<
      Record<string, { readonly share: number; readonly rows: number; readonly wanted: number }>
    >
    readonly weights: Readonly<Record<string, number>>
  }
  /** Where duplicates in other words were looked for: how many rows were found, and whether they were dropped. */
  readonly semantic?: {
    readonly model: string
    readonly threshold: number
    readonly duplicates: number
    readonly nearHeldOut: number
    readonly dropped: boolean
  }
  readonly leaks: { readonly checks: readonly string[]; readonly found: number }
}

/** What a holdout says of itself. */
export interface HoldoutManifest {
  readonly schemaVersion: 1
  readonly id: HoldoutId
  readonly task: string
  readonly files: Readonly<Record<string, { readonly rows: number; readonly digest: string }>>
  readonly perLabel: Readonly<Record<string, { readonly validation: number; readonly test: number }>>
}
