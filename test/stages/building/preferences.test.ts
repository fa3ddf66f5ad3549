import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import type { Candidate, Preference, Seed } from "../../../src/core/rows/example.ts"
import { importSeeds, json, linesOf, rowsOf, sampleWorkspace } from "../../command-line.ts"

const task = "ticket-triage"

/** Decides on the candidates: the first is edited to another label, the second rejected, the others accepted. */
async function decide(workspace: string, candidates: readonly Candidate[]): Promise<void> {
  const line = ({ id, output }: Candidate, index: number) =>
    `${id},${index === 0 ? `edit,${output === "fault" ? "product" : "fault"}` : index === 1 ? "reject," : "accept,"},amara,"not, ""a"" label"`
  writeFileSync(
    join(workspace, "decided.csv"),
    `id,decision,corrected_output,reviewer,comment\n${candidates.map((candidate, index) => line(candidate, index)).join("\n")}\n`,
  )
  await json(workspace, "review", "import", task, join(workspace, "decided.csv"))
}

it("a corrected candidate is an example and a preference; a leak takes both away; an erasure reaches it; " +
  "without corrections there is no file", async () => {
  const workspace = sampleWorkspace()
  await importSeeds(workspace)
  await json(workspace, "expand", task, "--strategy", "recombine", "--count", "8")
  const folder = join(workspace, "datasets", task)
  const [batch] = readdirSync(join(folder, "candidates")) as [string]
  const candidates = linesOf<Candidate>(join(folder, "candidates", batch)).filter(({ checks }) =>
    checks.every(({ ok }) => ok),
  )
  await decide(workspace, candidates)
  const built = await json<{ version: string; files: Record<string, { rows: number }> }>(workspace, "build", task)
  const versionFolder = join(folder, "versions", built.version)
  const [corrected] = candidates as [Candidate]
  const preferences = linesOf<Preference>(join(versionFolder, "preferences.jsonl"))
  expect(preferences).toMatchObject([
    {
      id: `pref_${corrected.id.slice(5)}`,
      input: corrected.input,
      rejected: corrected.output,
      provenance: { acceptedBy: "amara" },
    },
  ])
  expect(preferences[0]?.chosen).not.toBe(corrected.output)
  expect(JSON.parse(readFileSync(join(versionFolder, "manifest.json"), "utf8"))).toMatchObject({
    files: { "preferences.jsonl": { rows: 1 } },
  })
  expect(await json(workspace, "build", task)).toMatchObject({ state: "unchanged", version: built.version })

  // Every format of preferences carries it.
  for (const format of ["preference-trl", "preference-openai"])
    expect(
      await json(workspace, "dataset", "export", task, "--format", format, "--out", join(workspace, `${format}.jsonl`)),
    ).toMatchObject({
      state: "exported",
    })
  expect(readFileSync(join(workspace, "preference-trl.jsonl"), "utf8")).toContain(corrected.output as string)

  // Its input turns out to be in the test set: the row leaves train, and the pair with it.
  const [heldOut] = rowsOf<{ id: string; split: string }>(workspace, "splits.jsonl").filter(
    ({ split }) => split === "test",
  )
  const seeds = rowsOf<Seed>(workspace, "seeds.jsonl")
  writeFileSync(
    join(folder, "seeds.jsonl"),
    seeds
      .map((seed) => `${JSON.stringify(seed.id === heldOut?.id ? { ...seed, input: corrected.input } : seed)}\n`)
      .join(""),
  )
  const leakless = await json<{ version: string }>(workspace, "build", task)
  expect(existsSync(join(folder, "versions", leakless.version, "preferences.jsonl"))).toBe(false)

  await json(workspace, "dataset", "erase", task, corrected.id, "--yes", "--accept-remaining", "a test")
  expect(readFileSync(join(versionFolder, "preferences.jsonl"), "utf8")).toBe("")
}, 60_000)
