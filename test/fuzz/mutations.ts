/** A number in 0..1. */
export type Random = () => number

/** One of the list. */
export function oneOf<Item>(random: Random, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)] as Item
}

const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth)

/** Values that something is likely to trip over, as JSON text. */
const oddValues = [
  ...["null", "true", "0", "-1", "0.5", "1e308", "1e999", "-1e400", "4294967294", "9007199254740993", '""', "[]", "{}"],
  ...['"constructor"', '"__proto__"', '{"__proto__":{"id":1}}', '"../../../../etc/passwd"', '"\\u0000"', '"\\ud800"'],
  ...['"^(a+)+$"', '"\\u001b[31m"', '"sha256:0"', "[null]", '[{"a":[]}]', '{"":""}', '"9999-99-99T99:99:99Z"'],
  nested("[", "]", 3000),
  `${'{"a":'.repeat(900)}1${"}".repeat(900)}`,
  JSON.stringify("x".repeat(70_000)),
  JSON.stringify("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
]

/** What a text may have in it that something is likely to trip over, of any format. */
const oddTexts = [
  ...[
    '"',
    "'",
    "\n",
    "\r",
    "\0",
    "\ufeff",
    "\ud800",
    "\t",
    ",",
    ";",
    "[",
    "]",
    "{",
    "}",
    ": ",
    "- ",
    "---\n",
    "<",
    "&",
  ],
  ...["&x [*x]", "*x", "1e999", ".nan", ".inf", "!!binary x", "? [a]\n", "<<: *x\n", "constructor", "__proto__"],
  ...["ZZZZZZ1", "-1", "NaN", "=1+1", "&#0;", "&lt", "]]>", "\u001b[2J", "\u202e", "9".repeat(400), "a".repeat(5000)],
]

/** The bytes, changed in a few places: for texts and for what is no text. */
export function mutateBytes(random: Random, bytes: Buffer, from = 0, until = bytes.length): Buffer {
  const changed = Buffer.from(bytes)
  const at = () => from + Math.floor(random() * Math.max(1, until - from))
  for (let times = 1 + Math.floor(random() * 4); times > 0; times -= 1) {
    const place = at()
    const value = oneOf(random, [0, 1, 0x7f, 0x80, 0xff, Math.floor(random() * 256)])
    if (place < changed.length)
      changed[place] = random() < 0.5 ? value : (changed[place] as number) ^ (1 << (value % 8))
  }
  return changed
}

/** The text, with something odd in it, with a piece gone, doubled or moved, or cut short. */
export function mutateText(random: Random, text: string): string {
  const start = Math.floor(random() * (text.length + 1))
  const end = Math.min(text.length, start + Math.floor(random() ** 3 * 200))
  switch (Math.floor(random() * 5)) {
    case 0:
      return text.slice(0, start)
    case 1:
      return text.slice(0, start) + text.slice(end)
    case 2:
      return text.slice(0, end) + text.slice(start)
    default:
      return text.slice(0, start) + oneOf(random, oddTexts) + text.slice(random() < 0.5 ? start : end)
  }
}

/** The JSON text with one value or key of it changed, at any depth. */
export function mutateJson(random: Random, text: string): string {
  const marks: string[] = []
  const mark = (json: string) => `\ue000${marks.push(json) - 1}\ue000`
  const changed = changeOne(random, JSON.parse(text) as unknown, mark)
  return JSON.stringify(changed).replace(/"\ue000(\d+)\ue000"/g, (_, index: string) => marks[Number(index)] as string)
}

function changeOne(random: Random, value: unknown, mark: (json: string) => string): unknown {
  const isOpen = typeof value === "object" && value !== null
  const keys = isOpen ? Object.keys(value) : []
  if (keys.length === 0 || random() < 0.15) return mark(oneOf(random, oddValues))
  const key = oneOf(random, keys)
  if (Array.isArray(value)) {
    const index = Number(key)
    if (random() < 0.1) return value.toSpliced(index, 1)
    if (random() < 0.1) return [...value, value[index] as unknown]
    return value.with(index, changeOne(random, value[index], mark))
  }
  const { [key]: member, ...others } = value as Record<string, unknown>
  if (random() < 0.1) return others
  if (random() < 0.1) return { ...others, [oneOf(random, ["", "constructor", "odd key", "toString"])]: member }
  return { ...(value as object), [key]: changeOne(random, member, mark) }
}

/** The text of JSON or of lines of JSON: with a value, key or line of it changed, or as any text. */
export function mutateJsonText(random: Random, text: string): string {
  if (random() < 0.15) return mutateText(random, text)
  const lines = text.split("\n").filter((line) => line !== "")
  if (!isJson(lines[0] as string)) return mutateJson(random, text)
  const index = Math.floor(random() * lines.length)
  const line = lines[index] as string
  if (random() < 0.1) return `${lines.toSpliced(index, 1).join("\n")}\n`
  if (random() < 0.1) return `${[...lines, line].join("\n")}\n`
  if (random() < 0.05) return `${lines.toReversed().join("\n")}\n`
  return `${lines.with(index, mutateJson(random, line)).join("\n")}\n`
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The YAML text with a value of it changed where it stands, or by its text. */
export function mutateYaml(random: Random, text: string): string {
  if (random() < 0.3) return mutateText(random, text)
  const lines = text.split("\n")
  const index = Math.floor(random() * lines.length)
  const line = lines[index] as string
  const [, key] = /^(\s*(?:- )?[\w-]+:)/.exec(line) ?? []
  const odd = [...oddValues, "&x [*x]", "&x {a: *x}", "*x", ".nan", ".inf", "0o17", "2001-01-01", "!!set {a}", "? [a]"]
  if (random() < 0.1) return lines.toSpliced(index, 1).join("\n")
  if (random() < 0.1) return lines.toSpliced(index, 0, line).join("\n")
  return lines.with(index, key === undefined ? mutateText(random, line) : `${key} ${oneOf(random, odd)}`).join("\n")
}
