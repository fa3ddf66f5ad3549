import { canonicalJson } from "../../core/canonical.ts"
import type { Output } from "../../core/rows/example.ts"
import { sameOutput } from "../../core/task/output.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import { jaccard, shinglerNamed } from "../near/shingles.ts"

const fourGrams = shinglerNamed("char-4", new Int32Array(), "text")

/**
 * How far two outputs of the task say the same, 0 to 1: of a label, equal or not; of labels, those in both over all; of
 * JSON and calls of tools, the leaves in both over all; of texts, the Jaccard similarity of their character 4-grams.
 * Symmetric; 1 for outputs that are the same. Expects valid outputs.
 */
export function agreementOf(task: TaskSpecification, a: Output, b: Output): number {
  if (sameOutput(task, a, b)) return 1
  switch (task.kind) {
    case "label":
      return 0
    case "multilabel":
      return overlap(new Set(a as string[]), new Set(b as string[]))
    case "text":
      return textAgreement(String(a), String(b))
    case "json":
      return overlap(new Set(leaves(a)), new Set(leaves(b)))
    case "chat": {
      const [first, second] = [a, b] as { content?: unknown; tool_calls?: unknown }[]
      if (first?.tool_calls === undefined && second?.tool_calls === undefined)
        return textAgreement(String(first?.content), String(second?.content))
      return overlap(new Set(leaves(first?.tool_calls ?? null)), new Set(leaves(second?.tool_calls ?? null)))
    }
  }
}

function textAgreement(a: string, b: string): number {
  return jaccard(fourGrams.of(a), fourGrams.of(b))
}

function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const all = new Set([...a, ...b])
  return all.size === 0 ? 1 : (a.size + b.size - all.size) / all.size
}

/** Each leaf with the path to it. Arguments of tools may be JSON in a text. */
function leaves(value: unknown, path = ""): string[] {
  if (typeof value === "string" && path.endsWith(".arguments")) {
    try {
      return leaves(JSON.parse(value) as unknown, path.replace(/arguments$/, "given"))
    } catch {
      return [`${path}=${canonicalJson(value)}`]
    }
  }
  const name = path.replace(/\.arguments$/, ".given")
  if (typeof value !== "object" || value === null) return [`${name}=${canonicalJson(value ?? null)}`]
  const members = Object.entries(value)
  return members.length === 0
    ? [`${name}=${Array.isArray(value) ? "[]" : "{}"}`]
    : members.flatMap(([key, member]) => leaves(member, `${name}.${key}`))
}
