import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { importSeeds, sampleWorkspace, tuneloop } from "../command-line.ts"

const secret = "hidden-8842-word"
const withSecrets = [`https://me:${secret}@api.openai.com/v1`, `https://api.openai.com/v1?api_key=${secret}`]

it.each(withSecrets)("%s in a file or the environment is refused, and comes out nowhere", async (address) => {
  const workspace = workspaceAt(address)
  const job = join(workspace, "jobs", "away.yaml")
  const options = `{ profile: custom, baseUrl: "${address}", apiKeyEnv: SOME_KEY }`
  writeFileSync(
    job,
    `job: away\ntask: ticket-triage\nbaseModel: m\nbackend: { name: openai-compatible, options: ${options} }\n`,
  )
  const key = { OPENAI_API_KEY: "none" }
  const commands: (readonly [string[], Record<string, string>])[] = [
    [["spec", "check", "ticket-triage"], key],
    [["job", "check", "away"], key],
    [["runs", "ls", "--on", "away"], key],
    [["expand", "ticket-triage", "--strategy", "self-instruct"], key],
  ]
  for (const [words, environment] of commands) {
    const { code, stdout, stderr } = await tuneloop(workspace, words, environment).outcome
    expect([1, 2], `${words.join(" ")}: ${stderr}`).toContain(code)
    expect(stdout + stderr, words.join(" ")).not.toContain(secret)
  }
  const fromEnvironment = workspaceAt(undefined)
  await importSeeds(fromEnvironment)
  for (const words of [["expand", "ticket-triage", "--strategy", "self-instruct"], ["config", "show"], ["doctor"]]) {
    const { stdout, stderr } = await tuneloop(fromEnvironment, words, { ...key, OPENAI_BASE_URL: address }).outcome
    expect(stdout + stderr, words.join(" ")).not.toContain(secret)
  }
  for (const folder of [workspace, fromEnvironment])
    for (const file of machineFilesIn(folder)) expect(readFileSync(file).includes(secret), file).toBe(false)
})

it("nothing goes to another machine without encryption, unless its scheme and host are allowed", async () => {
  const workspace = workspaceAt(undefined)
  await importSeeds(workspace)
  name("http://models.invalid:8000/v1", workspace)
  const grow = ["expand", "ticket-triage", "--strategy", "self-instruct"]
  const key = { OPENAI_API_KEY: "a-key" }
  writeFileSync(join(workspace, "tuneloop.yaml"), "allowedHosts: [models.invalid]\n")
  const refused = await tuneloop(workspace, grow, key).outcome
  expect([2, 4]).toContain(refused.code)
  expect(refused.stderr).toContain("http://models.invalid:8000 is not encrypted")
  expect(refused.stderr).toContain("add http://models.invalid:8000 to allowedHosts")
  writeFileSync(join(workspace, "tuneloop.yaml"), "allowedHosts: ['HTTP://Models.Invalid:8000']\n")
  expect((await tuneloop(workspace, ["spec", "check", "ticket-triage"], key).outcome).code).toBe(0)
  writeFileSync(join(workspace, "tuneloop.yaml"), "allowedHosts: [models.invalid/v1]\n")
  const wrong = await tuneloop(workspace, ["spec", "check", "ticket-triage"]).outcome
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("must be a host")])
})

function workspaceAt(address: string | undefined): string {
  const workspace = sampleWorkspace()
  if (address !== undefined) name(address, workspace)
  return workspace
}

/** The task's model is at the address. */
function name(address: string, workspace: string): void {
  const file = join(workspace, "specs", "ticket-triage.yaml")
  const model = `  model: { model: test-model, baseUrl: "${address}" }\n  strategies:\n`
  writeFileSync(file, readFileSync(file, "utf8").replace("  strategies:\n", model))
}

/** What no person wrote. */
function machineFilesIn(folder: string): string[] {
  const found = ["datasets", ".tuneloop", join("jobs", "runs")].filter((name) => existsSync(join(folder, name)))
  return found.flatMap((name) =>
    readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  )
}
