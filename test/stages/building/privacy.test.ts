import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { json, sampleWorkspace, tuneloop } from "../../command-line.ts"

const rows = Array.from({ length: 30 }, (_, index) => ({
  input: {
    ticket:
      `Ticket ${index}: ${["lamp", "kettle", "scarf"][index % 3]} number ${index * 37} came ` +
      `${["late", "broken", "wet"][index % 3]}, write to client${index}@example.com`,
  },
  output: `Dear Mei, we wrote to Client${index}@example.com about item ${index}.`,
}))

/** A text task with a policy, its gold imported. */
async function workspaceWith(privacy: string): Promise<string> {
  const workspace = sampleWorkspace()
  writeFileSync(
    join(workspace, "specs", "reply.yaml"),
    `task: reply\nkind: text\ndescription: answer\ninput:\n  ticket: {}\nprivacy: ${privacy}\n`,
  )
  writeFileSync(join(workspace, "gold.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
  await json(workspace, "seed", "import", "reply", join(workspace, "gold.jsonl"))
  return workspace
}

it(
  "a version and its holdout have pseudonyms, the same in input and output, and the seeds stay as they were " +
    "written",
  async () => {
    const workspace = await workspaceWith("{ personalData: pseudonymise, names: [Mei] }")
    const folder = join(workspace, "datasets", "reply")
    const seeds = readFileSync(join(folder, "seeds.jsonl"), "utf8")
    expect(seeds).toContain("client7@example.com")
    const built = await json(workspace, "build", "reply")
    expect(built["personalData"]).toEqual({ policy: "pseudonymise", rows: 30, found: { email: 30, name: 30 } })
    const version = join(folder, "versions", built["version"] as string)
    const files = [
      join(version, "train.jsonl"),
      join(version, "dropped.jsonl"),
      ...["validation", "test"].map((name) => join(folder, "holdouts", built["holdout"] as string, `${name}.jsonl`)),
    ]
    const text = files.map((file) => readFileSync(file, "utf8")).join("")
    expect(text).not.toMatch(/@example|Mei/i)
    expect(text).toContain("Dear [NAME_1], we wrote to [EMAIL_1] about")
    expect(JSON.parse(readFileSync(join(version, "manifest.json"), "utf8"))).toMatchObject({
      personalData: built["personalData"],
      recipe: { privacy: { personalData: "pseudonymise" } },
    })
    expect(readFileSync(join(folder, "seeds.jsonl"), "utf8")).toBe(seeds)
    expect(await json(workspace, "build", "reply")).toMatchObject({ state: "unchanged" })
  },
)

it("a version under drop trains on no such row and says so; kept + dropped = read", async () => {
  const workspace = await workspaceWith("{ personalData: drop }")
  const file = join(workspace, "clean.jsonl")
  writeFileSync(
    file,
    `${JSON.stringify({ input: { ticket: "The umbrella has a hole in it" }, output: "We send another one." })}\n`,
  )
  await json(workspace, "seed", "import", "reply", file)
  const splits = join(workspace, "datasets", "reply", "splits.jsonl")
  const lines = readFileSync(splits, "utf8").trimEnd().split("\n")
  writeFileSync(
    splits,
    `${[...lines.slice(0, -1), (lines.at(-1) as string).replace(/"split":"\w+"/, '"split":"train"')].join("\n")}\n`,
  )
  const built = await json(workspace, "build", "reply")
  expect(built["kept"]).toBe(1)
  expect(built["dropped"]).toEqual({ "personal-data": (built["read"] as number) - 1 })
  const { stdout } = await tuneloop(workspace, ["build", "reply"]).outcome
  expect(stdout).toContain("train rows dropped, held-out rows with pseudonyms")
})
