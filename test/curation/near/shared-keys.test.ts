import { expect, test } from "vitest"
import { SharedKeys } from "../../../src/curation/near/shared-keys.ts"
import { seeded } from "../../seeded.ts"

test("no key that came twice in a band is missed, and few others are taken for one", () => {
  const random = seeded(6)
  const shared = new SharedKeys(200_000)
  const keys = new Map<string, { key: number; band: number; times: number }>()
  for (let count = 0; count < 200_000; count += 1) {
    // A tenth comes from few keys; the same key in another band is another one.
    const key = random() < 0.1 ? Math.floor(random() * 5000) : Math.floor(random() * 2 ** 32) | 0
    const band = Math.floor(random() * 11)
    shared.note(key, band)
    const name = `${key}:${band}`
    keys.set(name, { key, band, times: (keys.get(name)?.times ?? 0) + 1 })
  }
  const all = [...keys.values()]
  const often = all.filter(({ times }) => times > 1)
  const once = all.filter(({ times }) => times === 1)
  expect(often.length).toBeGreaterThan(1000)
  expect(often.every(({ key, band }) => shared.isShared(key, band))).toBe(true)
  expect(once.filter(({ key, band }) => shared.isShared(key, band)).length / once.length).toBeLessThan(0.01)
  expect(shared.bytes).toBeLessThan(3.1 * 200_000)
})
