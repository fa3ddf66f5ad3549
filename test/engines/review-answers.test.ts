import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { contentId } from "../../src/core/canonical.ts"
import { reviewWorkspace } from "../web/sample-review.ts"
import { serving } from "../web/serving.ts"
import { asked, beyondTheEdge, hasChromium, inChromium, logOf, open, pressed, textOf, until } from "./chromium.ts"

describe.skipIf(!hasChromium)("what is written on the page for reviewers, in Chromium", () => {
  inChromium()

  it("a number that is none keeps the cursor and says what is wanted, in a list as well", async () => {
    const workspace = reviewWorkspace(0)
    await serving(
      workspace,
      "orders",
      async (_page, url) => {
        const page = await open(url)
        await until(page, "Roth")
        await page.keyboard.press("e")
        for (const [written, wanted] of [
          ["1.234,50", 'got "1.234,50"; a whole number is wanted, such as 1234'],
          ["1,000", 'got "1,000"; a whole number is wanted'],
          ["2.5", 'got "2.5"; a whole number is wanted'],
          ["two", 'got "two"; a whole number is wanted'],
        ] as const) {
          await page.getByLabel("quantity").fill(written)
          await page.getByLabel("product").focus()
          await page.keyboard.press("Control+Enter")
          await page.getByText(wanted).waitFor()
          expect(await page.evaluate("document.activeElement.value")).toBe(written)
        }
        expect(logOf(workspace, "orders")).toEqual([])
        await page.getByLabel("quantity").fill("1234")
        await pressed(page, "Control+Enter")
        expect(logOf(workspace, "orders")).toMatchObject([{ output: { items: [{ quantity: 1234 }] } }])
      },
      { reviewer: "amara" },
    )
  })

  it("that no label fits is said by its own key, never by having chosen nothing", async () => {
    const workspace = reviewWorkspace(0)
    const spec = join(workspace, "specs", "topics.yaml")
    writeFileSync(spec, readFileSync(spec, "utf8").replace("minimum: 1", "minimum: 0"))
    const input = { id: contentId("input", "hello"), input: { text: "Hello, is anybody in Lisbon" } }
    writeFileSync(join(workspace, "datasets", "topics", "inputs.jsonl"), `${JSON.stringify(input)}\n`)
    await serving(
      workspace,
      "topics",
      async (_page, url) => {
        const page = await open(url)
        await until(page, "Lisbon")
        await pressed(page, "Enter")
        await page.keyboard.press("1")
        await page.keyboard.press("1")
        await pressed(page, "Enter")
        expect(await textOf(page.locator("#item"))).toContain("Lisbon")
        expect(logOf(workspace, "topics")).toEqual([])
        await pressed(page, "n")
        expect(logOf(workspace, "topics")).toMatchObject([{ item: input.id, verdict: "edit", output: [] }])
        // Labels that were proposed and taken away one by one are not saved by Enter either.
        await until(page, "Porto")
        await page.keyboard.press("1")
        await pressed(page, "Enter")
        expect(await textOf(page.locator("#item"))).toContain("Porto")
        expect(logOf(workspace, "topics")).toHaveLength(1)
      },
      { reviewer: "amara" },
    )
  })

  it("a name that differs in case alone from one that is known is asked about", async () => {
    const workspace = reviewWorkspace(4)
    const answers: [given: string, words: string | undefined, taken: string][] = [
      ["Jo", undefined, "Jo"],
      ["jo", "I am Jo", "Jo"],
      ["JO ", "No, I am JO, somebody else", "JO"],
      ["jo", "I am Jo", "Jo"],
    ]
    for (const [given, words, taken] of answers)
      await serving(workspace, "moods", async (_page, url) => {
        const page = await open(url)
        await page.locator("#name-field:focus").waitFor()
        await page.keyboard.type(given)
        await page.keyboard.press("Enter")
        if (words !== undefined) await page.getByRole("button", { name: words, exact: true }).click()
        await asked(page)
        expect(await textOf(page.locator("#who"))).toBe(taken)
        // A question that everybody is asked alike.
        for (let step = 0; step < 6 && (await textOf(page.locator("#question"))) !== "Is this a good example?"; step++)
          await pressed(page, "s")
        await pressed(page, "a")
      })
    expect(logOf(workspace, "moods").map(({ reviewer }) => reviewer)).toEqual(["Jo", "Jo", "JO", "Jo"])
  })

  it.each(["topics", "orders", "replies", "talks"])(
    "%s are whole at 400 pixels, also while one writes",
    async (task) => {
      await serving(
        reviewWorkspace(0),
        task,
        async (_page, url) => {
          const page = await open(url, { viewport: { width: 400, height: 800 } })
          await asked(page)
          for (const key of ["s", "e", "Escape", "r"]) {
            await pressed(page, key)
            expect(await page.evaluate(beyondTheEdge), key).toEqual([])
          }
        },
        { reviewer: "Wilhelmina Quakkelstein" },
      )
    },
  )
})
