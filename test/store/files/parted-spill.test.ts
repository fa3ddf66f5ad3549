import { mkdtempSync, readdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { expect, test } from "vitest"
import { PartReader, PartedSpill, PartWriter } from "../../../src/store/files/parted-spill.ts"

const parts = 3
const additions = fc.array(
  fc.record({
    writer: fc.nat(2),
    part: fc.nat(parts - 1),
    text: fc.string({ unit: "binary", maxLength: 30 }),
    times: fc.oneof({ weight: 5, arbitrary: fc.nat(3) }, fc.nat(9000)),
  }),
  { maxLength: 40 },
)

test(
  "gives back what several writers added, by its place and by its part, here and to a reader elsewhere, and " +
    "leaves no file behind",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "tuneloop-spill-"))
    fc.assert(
      fc.property(additions, fc.nat(40), (added, early) => {
        const spill = new PartedSpill(join(folder, "rows"), parts)
        const writers = [spill, new PartWriter(spill.share()), new PartWriter(spill.share())] as const
        const places = added.map(({ writer, part, text, times }, index) => {
          const target = writers[writer] as PartWriter
          const place = target.add(part, text.repeat(times))
          const bytes = Buffer.from(text.repeat(times))
          expect(target.lastBytes).toBe(bytes.length)
          // Some is adopted while more is being written.
          if (index === early) for (const other of writers.slice(1)) spill.adopt((other as PartWriter).flush())
          return { part, place, bytes }
        })
        for (const other of writers.slice(1)) spill.adopt((other as PartWriter).flush())
        for (const reader of [spill, new PartReader(spill.share())]) {
          for (const { place, bytes } of places.toReversed()) {
            const target = Buffer.alloc(bytes.length)
            reader.read(place, target)
            expect(target.equals(bytes)).toBe(true)
          }
          for (let part = 0; part < parts; part += 1) {
            const mine = places.filter((each) => each.part === part)
            expect(reader.partBytes(part)).toBe(mine.reduce((sum, { bytes }) => sum + bytes.length, 0))
            const bytesAt = reader.readPart(part)
            for (const { place, bytes } of mine)
              expect(Buffer.from(bytesAt(place, bytes.length)).equals(bytes)).toBe(true)
          }
        }
        spill.close()
      }),
      { seed: 8, numRuns: 60 },
    )
    expect(readdirSync(folder)).toEqual([])
  },
)
