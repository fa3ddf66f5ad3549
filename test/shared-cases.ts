import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe } from "vitest"
import { parse } from "yaml"
import { taskSchema, type TaskSpecification } from "../src/core/task/task.ts"

/** Inputs that users really had, beside the checkout: they are not part of the project. */
const folder = join(import.meta.dirname, "..", "..", "shared", "cases")

/** Tests of a case; skipped where it is not there. Each kind of fault has tests of its own beside it. */
export function describeCase(name: string, tests: () => void): void {
  describe.skipIf(!existsSync(join(folder, name)))(`the case ${name}`, tests)
}

export function caseFile(name: string, file: string): string {
  return join(folder, name, file)
}

export function caseText(name: string, file: string): string {
  return readFileSync(caseFile(name, file), "utf8")
}

/** The case's specification, as the task's file would be read. */
export function caseTask(name: string, task: string): TaskSpecification {
  return taskSchema.parse(parse(caseText(name, join("specs", `${task}.yaml`))))
}

/** The rows of a case's file. */
export function caseRows<Row>(name: string, file: string): Row[] {
  return caseText(name, file)
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as Row)
}

/** What a case's server answers: the first rule that fits what is asked, so many times. */
export function caseRules(name: string, file: string): (body: string) => object | undefined {
  const rules = (JSON.parse(caseText(name, file)) as Rule[]).map((rule) => ({ ...rule, left: rule.times ?? Infinity }))
  return (body) => {
    const rule = rules.find(({ match, left }) => left > 0 && new RegExp(match).test(body))
    if (rule === undefined) return undefined
    rule.left--
    const message = rule.message ?? { role: "assistant", content: rule.reply }
    return { index: 0, finish_reason: rule.finish ?? "stop", message }
  }
}

interface Rule {
  readonly match: string
  readonly times?: number
  readonly reply?: string
  readonly message?: object
  readonly finish?: string
}
