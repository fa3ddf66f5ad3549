// The search for near vectors in WebAssembly beside the same search in TypeScript alone, in one run. See README.md.
import { cpus, loadavg } from "node:os"
import { parseArgs } from "node:util"
import { cosinePairs, type CosinePair } from "../src/curation/near/cosine.ts"
import { seeded } from "../test/seeded.ts"
import { cosinePairs as plainCosinePairs } from "./plain-cosine.ts"

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "10000" },
    dimensions: { type: "string", default: "384" },
    threshold: { type: "string", default: "0.9" },
    // The cosine of two vectors that have nothing to do with one another: embedding models seldom give 0.
    base: { type: "string", default: "0,0.5" },
  },
})
const [count, dimensions, threshold] = [values.rows, values.dimensions, values.threshold].map(Number) as [
  number,
  number,
  number,
]
print(
  `${cpus().length} cores, ${cpus()[0]?.model.trim()}, Node ${process.version}, load average ` +
    `${(loadavg()[0] ?? 0).toFixed(1)}`,
)
print(`${count} vectors of ${dimensions} dimensions, a third of them near another one, pairs from ${threshold} on`)
print("usual cosine   pairs  TypeScript CPU s  WebAssembly CPU s  times as fast")
for (const base of values.base.split(",").map(Number)) {
  const vectors = madeVectors(base)
  // Once beforehand, so that both are compiled.
  for (const search of [plainCosinePairs, cosinePairs])
    search(vectors.slice(0, 1000), vectors.slice(0, 1000), threshold)
  const plain = measured(() => plainCosinePairs(vectors, vectors, threshold, (row) => row))
  const ours = measured(() => cosinePairs(vectors, vectors, threshold, (row) => row))
  if (!sameTo(plain.pairs, ours.pairs))
    throw new Error(`the searches differ: ${plain.pairs.length} and ${ours.pairs.length} pairs`)
  print(
    [
      String(base).padStart(12),
      String(ours.pairs.length).padStart(8),
      plain.seconds.toFixed(2).padStart(18),
      ours.seconds.toFixed(2).padStart(19),
      (plain.seconds / ours.seconds).toFixed(1).padStart(15),
    ].join(""),
  )
}

function measured(search: () => CosinePair[]): { readonly pairs: CosinePair[]; readonly seconds: number } {
  const start = process.cpuUsage()
  const pairs = search()
  const { user, system } = process.cpuUsage(start)
  return { pairs, seconds: (user + system) / 1e6 }
}

function sameTo(a: readonly CosinePair[], b: readonly CosinePair[]): boolean {
  return (
    a.length === b.length &&
    a.every(
      (pair, index) =>
        pair.a === b[index]?.a && pair.b === b[index].b && Math.abs(pair.cosine - b[index].cosine) < 1e-9,
    )
  )
}

function madeVectors(base: number): Float32Array[] {
  const random = seeded(1)
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const drawn = () => unit(Float32Array.from({ length: dimensions }, gauss))
  const shared = drawn()
  const mixed = (a: Float32Array, b: Float32Array, cosine: number) =>
    unit(a.map((value, place) => Math.sqrt(cosine) * value + Math.sqrt(1 - cosine) * (b[place] as number)))
  const vectors: Float32Array[] = []
  while (vectors.length < count) {
    const near = random() < 1 / 3 ? vectors[Math.floor(random() * vectors.length)] : undefined
    vectors.push(near === undefined ? mixed(shared, drawn(), base) : mixed(near, drawn(), 0.8 + 0.2 * random()))
  }
  return vectors
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  return vector.map((value) => value / length)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
