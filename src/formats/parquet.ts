import { type DatasetFormat, usesTools } from "../core/format.ts"
import type { Message } from "../core/prompt.ts"

/** `datasets` reads the column as a list of messages, which TRL renders by the model's template. Calls of tools have another shape in each row, which columns cannot hold. */
const format: DatasetFormat = {
  carries: "examples",
  summary: "Parquet: the columns id and messages (a list of role and content)",
  readBy: "Hugging Face datasets, TRL, DuckDB, pandas",
  ending: ".parquet",
  problem: (row) => (usesTools(row) ? "its columns have no place for tools" : undefined),
  row: ({ id, messages }) => ({ id, messages: messages.map(({ role, content }) => ({ role, content })) }),
  read: (value) => ({ messages: value["messages"] as Message[] }),
  async encode(rows) {
    const { parquetWriteBuffer } = await import("hyparquet-writer")
    const columnData = ["id", "messages"].map((name) => ({ name, data: rows.map((row) => row[name]) }))
    return new Uint8Array(parquetWriteBuffer({ columnData, schema: [...columns] }))
  },
}
export default format

const text = { type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" } as const
/** The three levels of a list, as the Parquet format's own page on nested types has them. */
const columns = [
  { name: "root", num_children: 2 },
  { name: "id", ...text },
  { name: "messages", converted_type: "LIST", repetition_type: "REQUIRED", num_children: 1 },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  { name: "element", repetition_type: "REQUIRED", num_children: 2 },
  { name: "role", ...text },
  { name: "content", ...text },
] as const
