import { mkdtempSync, readdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { expect, test } from "vitest"
import { SpillFile } from "../../../src/store/files/spill-file.ts"

test("gives back what was added, whatever is still in memory, and leaves no file behind", () => {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-spill-"))
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ text: fc.string({ unit: "binary", maxLength: 40 }), times: fc.integer({ min: 0, max: 30_000 }) }),
      ),
      (parts) => {
        const spill = new SpillFile(join(folder, "rows"))
        const places = parts.map(({ text, times }, index) => {
          const place = spill.size
          const whole = text.repeat(times)
          spill.add(index % 2 === 0 ? whole : Buffer.from(whole))
          return { place, bytes: Buffer.from(whole) }
        })
        for (const { place, bytes } of [...places, ...places.toReversed()]) {
          const target = Buffer.alloc(bytes.length)
          spill.read(place, target)
          expect(target.equals(bytes)).toBe(true)
        }
        spill.close()
      },
    ),
    { seed: 3, numRuns: 20 },
  )
  expect(readdirSync(folder)).toEqual([])
})
