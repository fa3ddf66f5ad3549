import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { sunsetsOf } from "../../../src/core/asking/sunsets.ts"
import { readSunsets } from "../../../src/store/sunsets.ts"
import { Workspace } from "../../../src/store/workspace.ts"

const openai = "api.openai.com"
const today = new Date("2026-11-30T12:00:00Z")
const empty = mkdtempSync(join(tmpdir(), "tuneloop-sunsets-"))
const packaged = readSunsets(Workspace.open(empty))
const endOf = (model: string, host: string | undefined, what = "serving") =>
  sunsetsOf({ model, host }, packaged, today).find((sunset) => sunset.what === what)?.retires

describe("the dates that come with the package", () => {
  it.each([
    ["gpt-4o-mini", openai, "2027-01-14"],
    ["gpt-4o-mini-2024-07-18", openai, "2027-01-14"],
    ["ft:gpt-4o-mini-2024-07-18:acme::AbC123", openai, "2027-01-14"],
    ["ft:gpt-4.1-2025-04-14:acme:triage:AbC123", openai, "2027-01-14"],
    ["ft:gpt-4.1-mini-2025-04-14:acme::AbC123", openai, "2027-01-14"],
    ["gpt-4.1-nano", openai, "2026-10-23"],
    ["gpt-4o-2024-05-13", openai, "2026-10-23"],
    ["gpt-4o-mini-2024-07-18.ft-0123456789abcdef", "house.openai.azure.com", "2027-10-01"],
    ["gpt-4.1-2025-04-14.ft-0123456789abcdef", "house.services.ai.azure.com", "2027-10-14"],
  ])("end %s at %s on %s", (model, host, day) => {
    expect(endOf(model, host)).toBe(day)
  })

  it.each([
    ["gpt-4o-mini", "127.0.0.1"],
    ["gpt-4o-mini", undefined],
    ["gpt-6-luna", openai],
    ["ft:gpt-4.1-nano-2025-04-14:acme::AbC123", openai],
    ["HuggingFaceTB/SmolLM2-135M-Instruct", undefined],
  ])("say nothing of %s at %s", (model, host) => {
    expect(endOf(model, host)).toBeUndefined()
  })

  it("end the training of any model at OpenAI before its serving", () => {
    expect(sunsetsOf({ model: "gpt-4o-mini", host: openai }, packaged, today)).toMatchObject([
      { what: "training", retires: "2027-01-06", daysLeft: 37, state: "soon" },
      { what: "serving", retires: "2027-01-14", daysLeft: 45, state: "soon" },
    ])
    expect(endOf("gpt-4o-mini-2024-07-18", "house.openai.azure.com", "training")).toBe("2027-04-01")
  })
})

it("days are counted to the day itself, and warned of from 90 on", () => {
  const states = ["2026-10-16T00:00:01Z", "2026-10-16T00:00:00Z", "2027-01-14T23:00:00Z", "2027-01-15T00:00:01Z"]
  const seen = states.map((at) => {
    const [, serving] = sunsetsOf({ model: "gpt-4o", host: openai }, packaged, new Date(at)).toSorted((a, b) =>
      a.retires < b.retires ? -1 : 1,
    )
    return [serving?.daysLeft, serving?.state]
  })
  expect(seen).toEqual([
    [90, "soon"],
    [90, "soon"],
    [0, "soon"],
    [-1, "over"],
  ])
  expect(sunsetsOf({ model: "gpt-4o", host: openai }, packaged, new Date("2026-10-15T23:00:00Z"))[1]?.state).toBe(
    "later",
  )
})

it("a workspace's own dates come first, and a wrong one is named", () => {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-sunsets-"))
  const own = {
    match: "gpt-4o-mini",
    retires: "2027-06-30",
    what: "serving",
    source: "our contract",
    asOf: "2026-11-30",
  }
  writeFileSync(join(folder, "sunsets.yaml"), JSON.stringify({ models: [own] }))
  const entries = readSunsets(Workspace.open(folder))
  const [training, serving] = sunsetsOf({ model: "gpt-4o-mini", host: openai }, entries, today)
  expect([training?.retires, serving?.retires, serving?.source]).toEqual(["2027-01-06", "2027-06-30", "our contract"])
  writeFileSync(join(folder, "sunsets.yaml"), JSON.stringify({ models: [{ ...own, retires: "soon" }] }))
  expect(() => readSunsets(Workspace.open(folder))).toThrow(/sunsets\.yaml.*models\[0\]\.retires/s)
})
