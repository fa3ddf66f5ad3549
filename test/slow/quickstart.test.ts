import { existsSync, mkdtempSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "vitest"
import { python, tuneloop } from "./tuneloop.ts"

it(
  "the quickstart trains the real base model, gives a verdict, and is unchanged the second time without " + "Python",
  async () => {
    const workspace = mkdtempSync(join(tmpdir(), "tuneloop-quickstart-"))
    const { code, stdout, stderr } = await tuneloop(workspace, ["quickstart", "--json"], {
      TUNELOOP_PYTHON: await python(),
    }).outcome
    expect(code, stderr).toBe(0)
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({
      schemaVersion: 1,
      version: expect.stringMatching(/^ds_/),
      holdout: expect.stringMatching(/^hold_/),
      run: expect.stringContaining("ticket-triage-"),
      evaluation: expect.stringMatching(/^eval_/),
    })
    const accuracy = Object.fromEntries(
      result.contenders.map((contender: { name: string; metrics: { accuracy: { value: number; n: number } } }) => [
        contender.name,
        contender.metrics.accuracy,
      ]),
    )
    expect(Object.keys(accuracy)).toEqual(["tuned", "zero-shot", "few-shot", "linear"])
    const holdout = JSON.parse(
      readFileSync(join(workspace, "datasets", "ticket-triage", "holdouts", result.holdout, "manifest.json"), "utf8"),
    )
    expect(holdout.files["validation.jsonl"].rows + holdout.files["test.jsonl"].rows).toBeGreaterThanOrEqual(200)
    expect(accuracy["tuned"].n).toBe(holdout.files["test.jsonl"].rows)
    // The mean over three training seeds is measured in bench/; a model that learned nothing is at 1 in 7.
    expect(accuracy["tuned"].value).toBeGreaterThan(0.6)
    const report = readFileSync(result.report, "utf8")
    expect(report).toContain("ticket-triage")
    expect(report).not.toMatch(/(?:src|href)="https?:/)

    const before = Date.now()
    const again = await tuneloop(workspace, ["quickstart", "--json"], { TUNELOOP_PYTHON: "/nonexistent/python" })
      .outcome
    expect(again.code, again.stderr).toBe(0)
    expect(JSON.parse(again.stdout)).toEqual(result)
    expect(Date.now() - before).toBeLessThan(30_000)
    for (const stage of ["seeds", "inputs", "expand", "review", "build", "train", "evaluate"])
      expect(again.stderr).toMatch(new RegExp(`^${stage} .*unchanged`, "m"))
    expect(existsSync(join(workspace, "datasets", "ticket-triage", "versions", result.version, "manifest.json"))).toBe(
      true,
    )
  },
)
