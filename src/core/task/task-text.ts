import type { TaskSpecification } from "./task.ts"

/**
 * The task in words for a model that grows, labels or judges examples: the guideline, the labels with their meanings,
 * what an input and an output are. Empty parts are left out.
 */
export function taskRules(task: TaskSpecification): string[] {
  const guideline = task.guideline.trim()
  return [
    ...(guideline === "" ? [] : [`Guideline:\n${guideline}`]),
    ...labelRules(task),
    `An input is ${inputForm(task)}`,
    `An output is ${outputForm(task)}`,
  ]
}

function labelRules(task: TaskSpecification): string[] {
  if (task.kind !== "label" && task.kind !== "multilabel") return []
  const lines = Object.entries(task.output.labels).map(([label, meaning]) => `- ${label}: ${meaning}`)
  return [`Labels:\n${lines.join("\n")}`]
}

function inputForm(task: TaskSpecification): string {
  if (task.kind === "chat")
    return (
      'the turns of a conversation so far, {"messages": [{"role": "user" or "assistant" or "tool", ' +
      '"content": …}, …]}; the last turn is not the assistant\'s.'
    )
  const fields = Object.entries(task.input).map(
    ([name, { description, type, required }]) =>
      `${JSON.stringify(name)} (${type}${required ? "" : ", optional"}${description ? `: ${description}` : ""})`,
  )
  return `an object with ${fields.join(", ")}.`
}

function outputForm(task: TaskSpecification): string {
  switch (task.kind) {
    case "label":
      return "one of the labels."
    case "multilabel":
      return `a list of labels${task.output.minimum > 0 ? `, at least ${task.output.minimum}` : ", possibly empty"}.`
    case "json":
      return `a JSON value of this schema: ${JSON.stringify(task.output.schema)}`
    case "text":
      return `a text of at most ${task.output.maxLength} characters.`
    case "chat": {
      const tools = task.output.tools.map(
        ({ name, description, parameters }) =>
          `- ${name}${description ? `: ${description}` : ""}; arguments: ${JSON.stringify(parameters)}`,
      )
      const call =
        'or a call of tools, {"tool_calls": [{"type": "function", "function": {"name": …, "arguments": ' +
        "{…}}}]}. The tools:"
      return `the assistant's next turn, {"content": …}${tools.length === 0 ? "." : ` ${call}\n${tools.join("\n")}`}`
    }
  }
}
