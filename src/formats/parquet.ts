import { type DatasetFormat, usesTools } from "../core/contracts/format.ts"
import type { Message } from "../core/task/prompt.ts"
import { hasNames } from "./_chat.ts"

/**
 * `datasets` reads the column as a list of messages, which TRL renders by the model's template. Calls of tools have
 * another shape in each row, which columns cannot hold.
 */
const format: DatasetFormat = {
  carries: "examples",
  summary: "Parquet: the columns id and messages (a list of role and content)",
  readBy: "Hugging Face datasets, TRL, DuckDB, pandas",
  ending: ".parquet",
  problem(row) {
    if (usesTools(row)) return "its columns have no place for tools"
    return hasNames(row.messages) ? "its columns have no place for the names of speakers" : undefined
  },
  row: ({ id, messages }) => ({ id, messages: messages.map(({ role, content }) => ({ role, content })) }),
  read: (value) => ({ messages: value["messages"] as Message[] }),
  async encode(rows) {
    const library = await import("hyparquet-writer")
    return rowGroups(library, rows as Iterable<Row>)
  },
}
export default format

interface Row {
  readonly id: string
  readonly messages: readonly Pick<Message, "role" | "content">[]
}

// A short first group shows a reader the first rows soon.
const [firstRows, mostRows] = [1000, 20_000]
const mostCharacters = 1 << 25

/**
 * The file, a row group at a time. A group ends after so many rows, or so much text, and only its rows are in memory.
 */
function* rowGroups(
  { ByteWriter, ParquetWriter }: typeof import("hyparquet-writer"),
  rows: Iterable<Row>,
): Generator<Uint8Array> {
  const writer = new ByteWriter()
  const file = new ParquetWriter({ writer, schema: [...columns] })
  let group: Row[] = []
  let characters = 0
  let most = firstRows
  const written = () => {
    const bytes = writer.getBytes().slice()
    writer.index = 0
    return bytes
  }
  const writeGroup = () => {
    const columnData = (["id", "messages"] as const).map((name) => ({ name, data: group.map((row) => row[name]) }))
    file.write({ columnData, rowGroupSize: group.length })
    group = []
    characters = 0
    most = mostRows
    return written()
  }
  for (const row of rows) {
    group.push(row)
    for (const { content } of row.messages) characters += content.length
    if (group.length >= most || characters >= mostCharacters) yield writeGroup()
  }
  if (group.length > 0) yield writeGroup()
  file.finish()
  yield written()
}

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
