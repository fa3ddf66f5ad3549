import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "vitest"
import { packageRoot } from "../../src/cli/host.ts"
import { describe, describeFunnel } from "../../src/cli/text/expand.ts"
import { exitCodes } from "../../src/core/errors.ts"
import type { Candidate } from "../../src/core/rows/example.ts"
import type { ExpandResult } from "../../src/stages/growing/expand.ts"
import { linesOf, snapshot } from "../command-line.ts"
import { startModelServer } from "../slow/model-server.ts"
import { tuneloop } from "../slow/tuneloop.ts"

it("expand asks a real OpenAI-compatible server, and asks nothing twice", async () => {
  const workspace = mkdtempSync(join(tmpdir(), "tuneloop-serve-"))
  const server = await startModelServer(workspace)
  try {
    mkdirSync(join(workspace, "specs"))
    cpSync(join(packageRoot, "datasets", "ticket-triage", "seeds.jsonl"), join(workspace, "gold.jsonl"))
    const specification = readFileSync(join(packageRoot, "specs", "ticket-triage.yaml"), "utf8")
    writeFileSync(
      join(workspace, "specs", "ticket-triage.yaml"),
      specification
        .replace(
          "expand:\n",
          `expand:\n  model:\n    model: ${server.model}\n    baseUrl: ${server.baseUrl}\n    maxTokens: 60\n`,
        )
        .replace(
          "  strategies:\n",
          "  strategies:\n    self-instruct: { count: 2, perRequest: 1, shots: 2 }\n    paraphrase: { " +
            "count: 1, perRequest: 1 }\n    label: { count: 1, shots: 2 }\n",
        ),
    )
    for (const [noun, file] of [
      ["seed", join(workspace, "gold.jsonl")],
      ["input", join(packageRoot, "datasets", "ticket-triage", "inputs.jsonl")],
    ] as const)
      expect((await tuneloop(workspace, [noun, "import", "ticket-triage", file]).outcome).code).toBe(0)
    await server.ready()
    const grown = await tuneloop(workspace, ["expand", "ticket-triage", "--strategy", strategies, "--json"]).outcome
    const results = (JSON.parse(grown.stdout) as { strategies: ExpandResult[] }).strategies
    // The model is weak: where nothing came of any request, that is what the exit code says.
    const code = results.some(({ passed }) => passed > 0) ? exitCodes.done : exitCodes.failure
    expect(grown.code, grown.stderr).toBe(code)
    expect(results.map(({ strategy, requests }) => [strategy, requests])).toEqual([
      ["self-instruct", 2],
      ["paraphrase", 1],
      ["label", 1],
    ])
    for (const result of results) {
      expect(result).toMatchObject({ state: "grown", answeredBefore: 0 })
      const read = new Set(
        result.cells.length > 0
          ? candidates(workspace).flatMap(({ strategy, request }) => (strategy === result.strategy ? [request] : []))
          : [],
      )
      expect(result.quarantined + read.size, JSON.stringify(result)).toBe(result.requests)
      process.stderr.write(`${describe(result)}\n`)
    }
    process.stderr.write(`${describeFunnel(results)}\n`)
    server.stop()
    // The server is gone: what was answered is not asked for again, not even when the batches are lost.
    const written = snapshot(join(workspace, "datasets", "ticket-triage", "candidates"))
    const again = await tuneloop(workspace, ["expand", "ticket-triage", "--strategy", strategies, "--json"]).outcome
    expect((JSON.parse(again.stdout) as { strategies: ExpandResult[] }).strategies.map(({ state }) => state)).toEqual([
      "unchanged",
      "unchanged",
      "unchanged",
    ])
    rmSync(join(workspace, "datasets", "ticket-triage", "candidates"), { recursive: true })
    const lost = await tuneloop(workspace, ["expand", "ticket-triage", "--strategy", strategies, "--json"]).outcome
    expect(lost.code, lost.stderr).toBe(code)
    expect(snapshot(join(workspace, "datasets", "ticket-triage", "candidates"))).toEqual(written)
  } finally {
    server.stop()
  }
})

const strategies = "self-instruct,paraphrase,label"

function candidates(workspace: string): Candidate[] {
  const folder = join(workspace, "datasets", "ticket-triage", "candidates")
  return readdirSync(folder).flatMap((file) => linesOf<Candidate>(join(folder, file)))
}
