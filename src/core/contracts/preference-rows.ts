import type { Preference } from "../rows/example.ts"
import { renderExample, renderQuestion } from "../task/prompt.ts"
import type { TaskSpecification } from "../task/task.ts"
import { type RenderedPreference, toolsOf, withToolCalls } from "./format.ts"

/** The preference as its task renders it: the question that a model is asked, and both answers to it. */
export function renderPreference(
  task: TaskSpecification,
  { id, input, chosen, rejected }: Preference,
): RenderedPreference {
  const answer = (output: unknown) =>
    renderExample(task, { input, output }).slice(-1)[0] as RenderedPreference["chosen"]
  return {
    id,
    question: renderQuestion(task, input),
    chosen: answer(chosen),
    rejected: answer(rejected),
    tools: toolsOf(task, input),
  }
}

/** Question and answers with their tool calls in one shape. */
export function shapedPreference({ question, chosen, rejected, tools }: RenderedPreference, wanted: "text" | "object") {
  return {
    question: withToolCalls(question, wanted),
    chosen: withToolCalls([...question, chosen], wanted).slice(-1),
    rejected: withToolCalls([...question, rejected], wanted).slice(-1),
    tools: tools.length === 0 ? {} : { tools },
  }
}

/** The preference as OpenAI's wire takes it: `{input: {messages, tools?}, preferred_output, non_preferred_output}`. */
export function preferenceRow(row: RenderedPreference): Record<string, unknown> {
  const { question, chosen, rejected, tools } = shapedPreference(row, "text")
  return { input: { messages: question, ...tools }, preferred_output: chosen, non_preferred_output: rejected }
}
