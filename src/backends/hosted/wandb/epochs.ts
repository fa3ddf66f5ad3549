import { createHash } from "node:crypto"
import { closeSync, createReadStream, openSync, readSync, writeSync } from "node:fs"
import type { TrainingPlan } from "../../../core/contracts/backend.ts"

/**
 * The rows of the file as often as there are epochs, each time in another order that follows from the seed: a service
 * that goes through its file once has no epochs of its own. Memory holds the places of the rows, not the rows.
 */
export async function writeEpochs(
  source: string,
  target: string,
  { epochs, seed }: { readonly epochs: number; readonly seed: number },
): Promise<void> {
  const places = await linesOf(source)
  const from = openSync(source, "r")
  const to = openSync(target, "w")
  try {
    for (let epoch = 0; epoch < epochs; epoch++)
      for (const index of shuffled(places.length, `${seed}:${epoch}`)) {
        const [start, end] = places[index] as readonly [number, number]
        const row = Buffer.alloc(end - start)
        readSync(from, row, 0, row.length, start)
        writeSync(to, row)
      }
  } finally {
    closeSync(from)
    closeSync(to)
  }
}

/** The learning rate of each batch of all epochs, or one for all of them where it stays the same. */
export function learningRates({ files, hyperparameters }: TrainingPlan): number | readonly number[] {
  const { epochs, batchSize, learningRate, scheduler, warmupRatio } = hyperparameters
  const batches = Math.ceil((files.train.rows * epochs) / batchSize)
  const warmup = Math.floor(batches * warmupRatio)
  if (scheduler === "constant" && warmup === 0) return learningRate
  return Array.from({ length: batches }, (_, batch) => {
    if (batch < warmup) return (learningRate * (batch + 1)) / warmup
    // The last batch still learns something.
    const progress = (batch - warmup) / (batches - warmup)
    if (scheduler === "linear") return learningRate * (1 - progress)
    return scheduler === "cosine" ? (learningRate * (1 + Math.cos(Math.PI * progress))) / 2 : learningRate
  })
}

/** Where each line begins, and where the next one does. */
async function linesOf(file: string): Promise<(readonly [number, number])[]> {
  const places: (readonly [number, number])[] = []
  let [start, offset] = [0, 0]
  for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) {
    for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) {
      const end = offset + at + 1
      places.push([start, end])
      start = end
    }
    offset += piece.byteLength
  }
  return places
}

function shuffled(length: number, seed: string): number[] {
  const keyed = Array.from({ length }, (_, index) => {
    const key = createHash("sha256").update(`${seed}:${index}`).digest("hex")
    return { index, key }
  })
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ index }) => index)
}
