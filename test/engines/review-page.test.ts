import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Page } from "playwright-core"
import { describe, expect, it } from "vitest"
import { hostile, reviewWorkspace } from "../web/sample-review.ts"
import { complaints, contextOf, serving } from "../web/serving.ts"
import { leadingTo } from "../../src/cli/review/open-browser.ts"
import { serveReview } from "../../src/web/review-page.ts"
import {
  asked,
  beyondTheEdge,
  executablePath,
  hasChromium,
  inChromium,
  logOf,
  open,
  poorContrasts,
  pressed,
  textOf,
  troubles,
  until,
} from "./chromium.ts"

// In CI the page must be tried; elsewhere its absence is said.
it.runIf(process.env["CI"] !== undefined)("Chromium is there", () =>
  expect(hasChromium, `no Chromium at ${executablePath}; set CHROMIUM`).toBe(true),
)
describe.skipIf(!hasChromium)("the page for reviewers, in Chromium", () => {
  inChromium()

  it(
    "is walked by keyboard alone: accept, label, edit, reject with a reason and a comment, skip, undo, " +
      "conflict, suspect, help",
    async () => {
      const workspace = reviewWorkspace(5)
      await serving(workspace, "moods", async (_page, url) => {
        const page = await open(url)
        await page.locator("#name-field:focus").waitFor()
        await page.keyboard.type("amara")
        await page.keyboard.press("Enter")
        await asked(page)
        expect(await page.evaluate("document.activeElement.id")).toBe("item")
        await page.keyboard.press("?")
        expect(await textOf(page.locator("dialog[open]"))).toContain("skip: it comes again later")
        await page.keyboard.press("Escape")

        // The queue's order is the server's: each kind is answered when it comes.
        const answers: Record<string, string[][]> = {
          "Is this a good example?": [
            ["a"],
            ["2"],
            ["r", "2"],
            ["c", "text:who says so", "Escape", "r", "text:too short", "Enter"],
            ["s"],
            ["3", "u", "1"],
          ],
          "What is the right output?": [["3"]],
          "Is this label right?": [["k"]],
          "Two examples that contradict each other: which output is right?": [["b"]],
        }
        const walked: string[] = []
        for (let step = 0; step < 20; step++) {
          const question = await textOf(page.locator("#question, .done"))
          const keys = answers[question]?.shift()
          if (keys === undefined) break
          walked.push(question)
          for (const key of keys) {
            if (key.startsWith("text:")) await page.keyboard.type(key.slice("text:".length))
            else await pressed(page, key)
          }
        }
        expect(walked).toHaveLength(9)
        expect(await textOf(page.locator(".done"))).toContain("Nothing waits for you.")
        const lines = logOf(workspace, "moods").filter(({ item }) => !item.startsWith("check_"))
        const verdicts = lines.map(({ verdict, output, reason }) =>
          [verdict, output, reason].filter((part) => part !== undefined).join(" "),
        )
        expect(verdicts.filter((verdict) => verdict.startsWith("reject"))).toEqual(
          expect.arrayContaining(["reject unclear text", "reject too short: who says so"]),
        )
        expect(verdicts.filter((verdict) => verdict === "withdraw")).toHaveLength(1)
        expect(new Set(logOf(workspace, "moods").map(({ reviewer }) => reviewer))).toEqual(new Set(["amara"]))
        const standing = new Map(lines.filter(({ verdict }) => verdict !== "withdraw").map((line) => [line.item, line]))
        // Five candidates, the input and the conflict; the suspect is a question about a row.
        expect(standing.size).toBe(7)
        expect([...standing.values()].find(({ item }) => item.startsWith("conflict_"))).toMatchObject({
          verdict: "edit",
          output: "glad",
        })
        expect([...standing.values()].find(({ item }) => item.startsWith("input_"))).toMatchObject({
          verdict: "edit",
          output: "calm",
        })
      })
    },
  )

  it(
    "a JSON output is edited field by field, with what is wrong at its field and the difference to the " + "proposal",
    async () => {
      const workspace = reviewWorkspace(0)
      await serving(
        workspace,
        "orders",
        async (_page, url) => {
          const page = await open(url)
          await until(page, "Roth")
          await page.keyboard.press("e")
          await page.getByLabel("quantity").fill("none")
          await page.getByText('got "none"; a whole number is wanted').waitFor()
          expect(await page.getByLabel("quantity").getAttribute("aria-invalid")).toBe("true")
          await page.getByLabel("quantity").fill("3")
          await page.getByLabel("rush").selectOption("yes")
          await page.locator("ins", { hasText: "true" }).waitFor()
          expect(await page.locator("del").allInnerTexts()).toEqual(["2", "false"])
          // What is begun is there after a reload.
          await page.reload()
          await asked(page)
          expect(await page.getByLabel("quantity").inputValue()).toBe("3")
          await pressed(page, "Control+Enter")
          expect(logOf(workspace, "orders")).toMatchObject([
            {
              verdict: "edit",
              output: { customer: "Bakery Roth", items: [{ product: "flour", quantity: 3, unit: "bag" }], rush: true },
            },
          ])
        },
        { reviewer: "amara" },
      )
    },
  )

  it("labels are toggled, texts written, turns and calls of tools edited", async () => {
    const workspace = reviewWorkspace(0)
    const as = { reviewer: "amara" }
    await serving(
      workspace,
      "topics",
      async (_page, url) => {
        const page = await open(url)
        await until(page, "Porto")
        await page.keyboard.press("3")
        await pressed(page, "Enter")
        expect(logOf(workspace, "topics")).toMatchObject([{ verdict: "edit", output: ["price", "place"] }])
      },
      as,
    )
    await serving(
      workspace,
      "replies",
      async (_page, url) => {
        const page = await open(url)
        await until(page, "tyres")
        await page.keyboard.press("e")
        await page.keyboard.type("No")
        await pressed(page, "Control+Enter")
        await page.getByText("shorter than 5").waitFor()
        // The cursor is where something is wrong.
        await page.locator("textarea.answer:focus").fill("Yes, for 12 euros. – Workshop")
        await pressed(page, "Control+Enter")
        expect(logOf(workspace, "replies")).toMatchObject([
          { verdict: "edit", output: "Yes, for 12 euros. – Workshop" },
        ])
      },
      as,
    )
    await serving(
      workspace,
      "talks",
      async (_page, url) => {
        const page = await open(url)
        await until(page, "4712")
        await page.keyboard.press("e")
        await page.getByLabel("number").fill("4711")
        await pressed(page, "Control+Enter")
        const call = { type: "function", function: { name: "find_parcel", arguments: '{"number":"4711"}' } }
        expect(logOf(workspace, "talks")).toMatchObject([{ verdict: "edit", output: { tool_calls: [call] } }])
      },
      as,
    )
  })

  it("two tabs never show the same item, a duplicated one neither; each undoes its own", async () => {
    const workspace = reviewWorkspace(6)
    await serving(
      workspace,
      "moods",
      async (_page, url) => {
        const first = await open(url)
        await asked(first)
        const second = await first.context().newPage()
        await second.goto(url)
        await asked(second)
        // A window that a page opens begins with what its tab remembers.
        const [copy] = await Promise.all([
          first.context().waitForEvent("page"),
          first.evaluate("void open(location.href)"),
        ])
        await asked(copy)
        const texts = await Promise.all([first, second, copy].map((page) => textOf(page.locator("#item"))))
        expect(new Set(texts).size).toBe(3)
        const answer = async (page: Page) =>
          pressed(page, (await textOf(page.locator("#question"))).startsWith("Two") ? "a" : "3")
        await answer(first)
        await answer(second)
        const [before] = logOf(workspace, "moods")
        await pressed(first, "u")
        expect(await textOf(first.locator("#item"))).toBe(texts[0])
        expect(logOf(workspace, "moods").find(({ verdict }) => verdict === "withdraw")?.item).toBe(before?.item)
      },
      { reviewer: "amara" },
    )
  })

  it("hostile texts are shown as they are, and do nothing", async () => {
    const workspace = reviewWorkspace(3)
    await serving(workspace, "moods", async (_page, url) => {
      const page = await open(url)
      await page.locator("#name-field:focus").waitFor()
      await page.keyboard.type(hostile[0] ?? "")
      await page.keyboard.press("Enter")
      await asked(page)
      const shown: string[] = []
      for (let step = 0; step < 6; step++) {
        shown.push(await textOf(page.locator("#item")))
        await pressed(page, "s")
      }
      for (const text of hostile.slice(0, 2)) expect(shown.some((item) => item.includes(text.slice(0, 40)))).toBe(true)
      expect(
        await page.locator("#item img, #item svg, #item script, #beside img, #beside script, #beside b").count(),
      ).toBe(0)
      expect(await page.evaluate("window.hacked")).toBeUndefined()
    })
  })

  it("the file that the command opens leads in, and leaves no token in the address", async () => {
    const workspace = reviewWorkspace(3)
    await serving(workspace, "moods", async ({ port }, url) => {
      const file = join(workspace, "open.html")
      writeFileSync(file, leadingTo(url))
      const page = await open(pathToFileURL(file).href)
      await page.locator("#name-field:focus").waitFor()
      expect(page.url()).toBe(`http://127.0.0.1:${port}/`)
      expect(await page.evaluate("[document.referrer, document.cookie]")).toEqual(["", ""])
    })
  })

  it("when the server goes, the page says so and keeps the answer; it is saved when the server is back", async () => {
    const workspace = reviewWorkspace(3)
    const context = contextOf(workspace)
    const serve = (port: number) =>
      serveReview(context, context.workspace.readTask("replies"), {
        host: "127.0.0.1",
        ports: [port],
        reviewer: "amara",
      })
    const server = await serve(0)
    const page = await open(`http://127.0.0.1:${server.port}/?token=${server.token}`)
    await until(page, "chain")
    await pressed(page, "s")
    expect(await textOf(page.locator(".saved"))).toMatch(/Skipped/)
    await until(page, "chain")
    await page.keyboard.press("e")
    await page.locator("textarea.answer").fill("A chain costs 35 euros. – Workshop")
    await server.close()
    await page.keyboard.press("Control+Enter")
    await page.getByRole("alert").getByText("The server does not answer").waitFor()
    // What was said of the answer before is not said of this one.
    expect(await textOf(page.locator(".saved"))).toBe("")
    expect(logOf(workspace, "replies")).toEqual([])
    const again = await serve(server.port)
    await page.getByText("Saved: edited").waitFor()
    expect(logOf(workspace, "replies")).toMatchObject([
      { verdict: "edit", output: "A chain costs 35 euros. – Workshop" },
    ])
    expect(await page.getByRole("alert").isHidden()).toBe(true)
    await again.close()
  })

  it(
    "every control has a name, every text enough contrast, light and dark, wide and narrow, and nothing is " +
      "cut off",
    async () => {
      const workspace = reviewWorkspace(4)
      await serving(
        workspace,
        "moods",
        async (_page, url) => {
          for (const colorScheme of ["light", "dark"] as const)
            for (const viewport of [
              { width: 1280, height: 800 },
              { width: 400, height: 844 },
            ]) {
              const page = await open(url, { colorScheme, viewport })
              await asked(page)
              // Once something was skipped there is more to say at the top.
              for (let skips = 0; skips < 3; skips++) await pressed(page, "s")
              expect(await page.evaluate(beyondTheEdge)).toEqual([])
              const controls = page.getByRole("button")
              for (const control of await controls.all()) expect((await textOf(control)).trim()).not.toBe("")
              expect(
                await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
              ).toBeLessThanOrEqual(0)
              expect(await page.evaluate(poorContrasts)).toEqual([])
              await page.close()
            }
        },
        { reviewer: "Wilhelmina Quakkelstein" },
      )
    },
  )

  it("nothing went wrong on any of the pages, and none asked for anything but its own server", () => {
    // The pages notice by themselves that the server went.
    expect(
      troubles.filter((trouble) => !/ERR_CONNECTION_REFUSED|status of (422|409)|ERR_EMPTY_RESPONSE/.test(trouble)),
    ).toEqual([])
    expect(complaints).toEqual([])
  })
})
