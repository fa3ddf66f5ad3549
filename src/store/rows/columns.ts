/** How a column holds its numbers. */
export type Width = "byte" | "int" | "float"
type Numbers = Uint8Array | Int32Array | Float64Array

/** Rows of numbers, by the names of their columns, and texts that rows name by number: a few bytes a row. */
export class Columns<Name extends string> {
  count = 0
  readonly of: Record<Name, Numbers>
  readonly texts: string[]
  readonly #numbers = new Map<string, number>()

  constructor(widths: Readonly<Record<Name, Width>>, kept?: Pick<Columns<Name>, "count" | "of" | "texts">) {
    const made = Object.entries<Width>(widths).map(([name, width]) => [name, new arrays[width](64)])
    this.of = kept?.of ?? (Object.fromEntries(made) as Record<Name, Numbers>)
    this.count = kept?.count ?? 0
    this.texts = kept?.texts ?? []
    for (const [number, text] of this.texts.entries()) this.#numbers.set(text, number)
  }

  /** The columns that `pieces` made bytes of; `fill` is given the memory of each in turn. */
  static from<Name extends string>(
    widths: Readonly<Record<Name, Width>>,
    { count, texts }: { readonly count: number; readonly texts: string[] },
    fill: (bytes: Uint8Array) => void,
  ): Columns<Name> {
    const of = Object.entries<Width>(widths).map(([name, width]) => {
      const numbers = new arrays[width](count)
      fill(bytesOf(numbers))
      return [name, numbers]
    })
    return new Columns(widths, { count, texts, of: Object.fromEntries(of) as Record<Name, Numbers> })
  }

  /** The numbers as bytes, column by column. */
  pieces(): Uint8Array[] {
    return Object.values<Numbers>(this.of).map((numbers) => bytesOf(numbers.subarray(0, this.count)))
  }

  add(row: Readonly<Record<Name, number>>): void {
    for (const name of Object.keys(this.of) as Name[]) {
      let numbers = this.of[name]
      if (this.count >= numbers.length) {
        const longer = new (numbers.constructor as (typeof arrays)[Width])(2 * Math.max(32, numbers.length))
        longer.set(numbers)
        numbers = this.of[name] = longer
      }
      numbers[this.count] = row[name]
    }
    this.count += 1
  }

  at(name: Name, row: number): number {
    return this.of[name][row] as number
  }

  /** The number of the text, which is noted; below zero for none. */
  number(text: string | undefined): number {
    if (text === undefined) return -1
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    this.#numbers.set(text, this.texts.length)
    return this.texts.push(text) - 1
  }

  /** The text of the number in the column. */
  text(name: Name, row: number): string | undefined {
    return this.texts[this.at(name, row)]
  }
}

const arrays = { byte: Uint8Array, int: Int32Array, float: Float64Array }

function bytesOf({ buffer, byteOffset, byteLength }: Numbers): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
