import { z } from "zod"
import { finding, firstMatches, severityOption, type Filter } from "../core/contracts/filter.ts"

const options = z.strictObject({ severity: severityOption("drop") })

// The control tokens of the chat templates of Llama, Qwen, Mistral, Gemma, Phi, DeepSeek and their kin, and of BERT.
const patterns = [
  { code: "control-token", pattern: /<\|[a-z0-9_]{1,40}\|>/i },
  { code: "control-token", pattern: /<｜[^｜>\n]{1,40}｜>/ },
  { code: "control-token", pattern: /\[\/?INST\]|<<\/?SYS>>|\[\/?(?:AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]/ },
  {
    code: "control-token",
    pattern: /<(?:start_of_turn|end_of_turn|bos|eos|pad|unk|mask|fim_prefix|fim_suffix|fim_middle)>/,
  },
  { code: "control-token", pattern: /\[(?:CLS|SEP|PAD|UNK|MASK)\]/ },
  { code: "reasoning", pattern: /<\/?think>/ },
  { code: "prompt-header", pattern: /^#{2,3} ?(?:Instruction|Response|Input|Output)s?:/m },
]

/**
 * The marks that a chat template puts between turns: a model that learns them as text ends or opens turns where it
 * should write.
 */
const filter: Filter<z.output<typeof options>> = {
  summary: "marks of chat templates: `<|…|>`, `[INST]`, `</s>`, `<think>`",
  codes: {
    "control-token": "a control token of a chat template",
    reasoning: "a tag of a model's reasoning",
    "prompt-header": "a header of a prompt, such as `### Response:`",
  },
  options,
  find(text) {
    if (!/[<[#]/.test(text)) return []
    const found = firstMatches(text, patterns)
    const end = endOfSequence(text)
    return end === undefined || found.some(({ code }) => code === "control-token")
      ? found
      : [finding("control-token", end), ...found]
  },
}
export default filter

/**
 * `</s>` ends a sequence, but as a pair with `<s>` it is struck-through text in HTML; `<s>` at the very beginning
 * begins a sequence.
 */
function endOfSequence(text: string): string | undefined {
  let open = 0
  for (const { 0: tag, index } of text.matchAll(/<\/?s>/g)) {
    if (tag === "</s>" && open === 0) return tag
    if (tag === "<s>" && text.slice(0, index).trim() === "" && !text.includes("</s>")) return tag
    open += tag === "<s>" ? 1 : -1
  }
  return undefined
}
