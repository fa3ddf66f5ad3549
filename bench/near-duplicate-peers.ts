// The peers of bench/near-duplicates.ts: each installed from PyPI into a Python environment of its own, and run by
// bench/near-duplicate-peers.py.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import type { CorpusKind } from "./near-duplicate-corpus.ts"
import { runMeasured } from "./measured-process.ts"

export const peerNames: readonly string[] = ["datasketch", "rensa", "rensa-rho", "text-dedup", "datatrove", "semhash"]

export interface Outcome {
  readonly seconds: number
  /** What is left to compare by on a machine that is shared. */
  readonly cpuSeconds: number
  readonly peakBytes: number
  /** The numbers of the rows. */
  readonly removed: readonly number[]
}

interface PeerOutcome extends Outcome {
  readonly version: string
  /** Where it runs otherwise than its users would run it. */
  readonly note: string | null
}

export interface PeerRun {
  readonly file: string
  readonly kind: CorpusKind
  readonly threshold: number
  readonly minutes: number
  /** For environments and what is written on the way. */
  readonly folder: string
}

// The words of each `pip install` of a peer; by default the package of its name.
const packages: Readonly<Record<string, readonly (readonly string[])[]>> = {
  "rensa-rho": [["rensa"]],
  // Without what only its other methods need (Spark, TensorFlow).
  "text-dedup": [
    ["--no-deps", "text-dedup==0.4.0"],
    [
      "numpy",
      "scipy",
      "datasets",
      "xxhash",
      "click",
      "click-option-group",
      "tqdm",
      "rich",
      "psutil",
      "regex",
      "setuptools",
    ],
  ],
  // Its tokenizer of English, and its minhash, want more than its own lists of extras name.
  datatrove: [["datatrove[io,processing]", "spacy"]],
  semhash: [["semhash", "tokenizers"]],
}
// What `timeout` of GNU coreutils ends with.
const timedOut = 124

/** From the first byte read to the last decision; why not, for a peer that could not run. */
export async function runPeer(
  peer: string,
  { file, kind, threshold, minutes, folder }: PeerRun,
): Promise<PeerOutcome | string> {
  const python = peerPython(join(folder, "peers", peer.replace("rensa-rho", "rensa")), packages[peer] ?? [[peer]])
  if (!("path" in python)) return python.problem
  const scratch = join(folder, "scratch")
  rmSync(scratch, { recursive: true, force: true })
  mkdirSync(scratch, { recursive: true })
  const removedFile = join(scratch, "removed.json")
  const script = join(import.meta.dirname, "near-duplicate-peers.py")
  const words = [peer, file, kind, String(threshold), String(availableParallelism()), removedFile, scratch]
  try {
    const { code, stdout, stderr, peakBytes } = await runMeasured(
      "timeout",
      [`${minutes}m`, python.path, script, ...words],
      {
        HF_HUB_OFFLINE: "1",
        HF_HOME: join(scratch, "huggingface"),
      },
    )
    if (code === timedOut) return `not done after ${minutes} minutes`
    if (code !== 0) return lastLine(stderr)
    const printed = JSON.parse(lastLine(stdout, Number.POSITIVE_INFINITY)) as Omit<PeerOutcome, "removed">
    const removed = JSON.parse(readFileSync(removedFile, "utf8")) as number[]
    return { ...printed, peakBytes: Math.max(peakBytes, printed.peakBytes), removed }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** A Python with the packages, in an environment that is made once; by uv where there is one. */
function peerPython(
  home: string,
  installs: readonly (readonly string[])[],
): { readonly path: string } | { readonly problem: string } {
  const path = join(home, "bin", "python")
  // Another choice of packages makes the environment anew.
  const stamp = join(home, "installed.json")
  const wanted = JSON.stringify(installs)
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return { path }
  rmSync(home, { recursive: true, force: true })
  const hasUv = spawnSync("uv", ["--version"]).status === 0
  const pip = hasUv
    ? ["uv", "pip", "install", "--quiet", "--python", path]
    : [path, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
  const steps = [
    hasUv ? ["uv", "venv", "--quiet", home] : ["python3", "-m", "venv", home],
    ...installs.map((words) => [...pip, ...words]),
  ]
  for (const [command, ...words] of steps) {
    const { status, stderr } = spawnSync(command as string, words, { encoding: "utf8", timeout: 600_000 })
    if (status !== 0) return { problem: `cannot be installed: ${lastLine(stderr ?? "")}` }
  }
  writeFileSync(stamp, wanted)
  return { path }
}

function lastLine(text: string, most = 200): string {
  return text.trim().split("\n").at(-1)?.slice(0, most) ?? ""
}
