import { describe, expect, it } from "vitest"
import { normalise } from "./normalise.ts"

const surroundings = { folders: { "/tmp/a": "<workspace>", "/tmp/a/b": "<shared>" } }

describe("a recording", () => {
  it.each([
    ["trained at 2026-11-30T12:39:44.120Z", "trained at <time>"],
    ["mood-20261130T123944Z-5180af", "mood-<time>-5180af"],
    ["decisions/2026-11-30-amara-47d8.jsonl", "decisions/<day>-amara-47d8.jsonl"],
    ['{"seconds":0.476,"rows":304}', '{"seconds":<figure>,"rows":304}'],
    ["0.41 s, 1144 texts a second, 121 MiB at most", "<figure> s, <figure> texts a second, <figure> MiB"],
    ["543 rows judged in 0.8 s (1.41 ms a row)", "543 rows judged in <figure> s"],
    ["ok       node: 24.21.0", "ok       node: <version>"],
    ["/tmp/a/b/train.csv and /tmp/a/specs", "<shared>/train.csv and <workspace>/specs"],
  ])("of another time and place is the same: %s", (text, expected) => {
    expect(normalise(text, surroundings)).toBe(expected)
  })

  it.each([
    "built: ds_e82b482fe99df897, 304 rows to train on",
    '{"kept":304,"dropped":{"failed-check":9},"found":0}',
    "the parcel takes 20 s and 4 GB, since 2026-11-30",
    "plan sha256:5180af628c2c6fe70c3e7873b468288658583fcef129b271967efadfedf1d212",
  ])("keeps what a change of behaviour would change: %s", (text) => {
    expect(normalise(text, surroundings)).toBe(text)
  })
})
