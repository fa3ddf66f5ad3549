import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import { packageRoot } from "../../src/cli/version.ts"
import { OpenAiServer } from "../backends/openai-server.ts"
import { tuneloop } from "../command-line.ts"

let [old, home]: OpenAiServer[] = []
beforeEach(async () => {
  ;[old, home] = [await OpenAiServer.start(), await OpenAiServer.start()]
})
afterEach(() => {
  old?.close()
  home?.close()
})

const labels = ["refund", "shipping", "other"] as const
/** Texts that have no word in common, so that none is near another. */
const row = (number: number) => ({
  text: [3, 7, 13, 29].map((factor) => `w${number * factor}x${factor}`).join(" "),
  label: labels[number % labels.length] ?? "other",
})
const labelOf = new Map(Array.from({ length: 400 }, (_, number) => [row(number).text, row(number).label]))

/** Of the texts the share that a model gets right, always the same ones. */
const answersWith = (rightOf: number) => (_model: string, question: string) => {
  const number = Number(/\d+/.exec(question)?.[0] ?? 0) / 3
  const right = labelOf.get(question) ?? "other"
  return number % 10 < rightOf ? right : (labels.find((label) => label !== right) ?? "other")
}

const specification = `schemaVersion: 1
task: support
description: What a message to support is about.
kind: label
input: { body: { description: The message } }
output: { labels: { refund: money back, shipping: a parcel, other: anything else }, outOfScope: other }
prompt: { system: "Name the topic: {labels}.", user: "{body}" }
verdict: { incumbent: "recorded:old-model" }
`

/** The commands of the guide, and its YAML files by what they begin with. */
function guide(): { commands: string[]; yaml: (start: string) => string } {
  const text = readFileSync(join(packageRoot, "docs", "moving-house.md"), "utf8")
  const blocks = (language: string) =>
    [...text.matchAll(new RegExp(`\`\`\`${language}\n([^\`]+)\`\`\``, "g"))].map((match) => match[1] ?? "")
  return {
    commands: blocks("sh").flatMap((block) => block.trim().split("\n")),
    yaml: (start) => blocks("yaml").find((block) => block.startsWith(start)) ?? "",
  }
}

async function house(): Promise<{ folder: string; environment: Record<string, string> }> {
  const [there, here] = [old, home]
  if (there === undefined || here === undefined) throw new Error("no servers")
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-house-"))
  for (const name of ["specs", "jobs"]) mkdirSync(join(folder, name))
  writeFileSync(join(folder, "specs", "support.yaml"), specification)
  const { yaml } = guide()
  const at = (name: string, { url }: OpenAiServer) =>
    `options: { profile: ${name}, baseUrl: "${url}", pollSeconds: 0.1 }`
  writeFileSync(
    join(folder, "tuneloop.yaml"),
    yaml("allowedHosts")
      .replace("options: { profile: openai }", at("openai", there))
      .replace("options: { profile: nebius }", at("nebius", here)),
  )
  writeFileSync(join(folder, "jobs", "support.yaml"), yaml("schemaVersion"))
  const gold = Array.from({ length: 200 }, (_, number) => row(number + 100))
  writeFileSync(
    join(folder, "gold.csv"),
    `body,output\n${gold.map(({ text, label }) => `${text},${label}\n`).join("")}`,
  )
  const keys = { OPENAI_API_KEY: there.key, NEBIUS_API_KEY: here.key }
  return { folder, environment: { ...keys, OPENAI_BASE_URL: there.url } }
}

/** A fine-tune that was made by other means, of 60 rows. */
async function oldFineTune(server: OpenAiServer): Promise<string> {
  const rows = Array.from({ length: 60 }, (_, number) => {
    const { text, label } = row(number)
    const messages = [
      { role: "user", content: text },
      { role: "assistant", content: label },
    ]
    return `${JSON.stringify({ messages })}\n`
  })
  const training_file = server.store.keep("support.jsonl", Buffer.from(rows.join("")))
  const body = JSON.stringify({ model: server.models[0], training_file, suffix: "support" })
  const headers = { authorization: `Bearer ${server.key}`, "content-type": "application/json" }
  await fetch(`${server.url}/fine_tuning/jobs`, { method: "POST", headers, body })
  server.succeed()
  return server.newest.fine_tuned_model ?? ""
}

it("the guide's commands take a fine-tune to another home and compare the two", { timeout: 300_000 }, async () => {
  const [there, here] = [old, home]
  if (there === undefined || here === undefined) throw new Error("no servers")
  const model = await oldFineTune(there)
  here.models.push("meta-llama/Meta-Llama-3.1-8B-Instruct")
  there.answerOf = answersWith(6)
  here.answerOf = (name, question) => answersWith(name.startsWith("ft:") ? 10 : 3)(name, question)
  const { folder, environment } = await house()
  const printed: Record<string, string> = {}
  let rows = ""
  for (const command of guide().commands) {
    const words = command.replace("<old model>", model).replace("<rows that adopt named>", rows).split(" ").slice(1)
    if (words[0] === "train" && words.includes("--wait"))
      here.onCall = (call) => {
        if (/^GET .*jobs\/ftjob-1$/.test(call) && here.newest.status !== "succeeded") here.succeed()
      }
    const { code, stdout, stderr } = await tuneloop(folder, words, environment).outcome
    expect([code, stderr], `${command}: ${stdout}`).toEqual([0, expect.any(String)])
    printed[words.slice(0, 2).join(" ")] = stdout
    rows = /rows in (\S+train\.jsonl)/.exec(stdout)?.[1] ?? rows
    // What was recorded outlives the old model.
    if (words[1] === "record") there.isReachable = false
  }
  expect(printed["models"]).toContain("gpt-4.1-mini")
  expect(printed["runs adopt"]).toContain(model)
  expect(printed["models record"]).toMatch(/\d+ test rows/)
  expect(printed["evaluate latest"]).toContain("Promote the tuned model")
  expect(printed["evaluate latest"]).toContain("recorded:old-model")
  expect(here.jobs).toHaveLength(1)
})
