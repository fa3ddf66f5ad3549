import { digest } from "./canonical.ts"

/**
 * A number in [0, 1) that follows from the value alone and is spread evenly over values: the first 52 bits of its
 * digest. The same on every machine, so that what is drawn by it stays drawn. `purpose` keeps draws apart.
 */
export function stableShare(purpose: string, value: string): number {
  return Number.parseInt(digest([purpose, value]).slice(7, 20), 16) / 2 ** 52
}
