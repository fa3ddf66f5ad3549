import { stableShare } from "../stable-share.ts"

/** By which a candidate is drawn from everything, as one of the share that people are asked about at random. */
export function randomDraw(id: string): number {
  return stableShare("random", id)
}
