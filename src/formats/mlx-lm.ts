import type { DatasetFormat } from "../core/contracts/format.ts"
import type { Message } from "../core/task/prompt.ts"
import { chatRow } from "./_chat.ts"

const format: DatasetFormat = {
  carries: "examples",
  summary: "mlx-lm: a folder with train.jsonl, valid.jsonl and, when asked for, test.jsonl; train with --mask-prompt",
  readBy: "mlx_lm.lora --data",
  ending: ".jsonl",
  names: { train: "train.jsonl", validation: "valid.jsonl", test: "test.jsonl" },
  row: (row) => chatRow(row, "object"),
  read: (value) => ({ messages: value["messages"] as Message[] }),
}
export default format
