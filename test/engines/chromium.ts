import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { chromium, type Browser, type Locator, type Page } from "playwright-core"
import { afterAll, beforeAll, expect } from "vitest"
import { linesOf } from "../command-line.ts"

export const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium"
export const hasChromium = existsSync(executablePath)
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
]

let browser: Browser
/** What went wrong in pages: errors of scripts, refused by the policy, requests that left this machine. */
export const troubles: string[] = []

if (!hasChromium)
  process.stderr.write(
    `the page for reviewers is not tried in a browser: no Chromium at ${executablePath}; install one, or ` +
      `set CHROMIUM\n`,
  )

/** A browser for the tests of a file. */
export function inChromium(): void {
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args })
  })
  afterAll(() => browser?.close())
}

export async function open(url: string, options: Parameters<Browser["newContext"]>[0] = {}): Promise<Page> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  context.on("request", (request) => {
    if (!/^(http:\/\/127\.0\.0\.1:|file:)/.test(request.url())) troubles.push(`asked for ${request.url()}`)
  })
  context.on("console", (message) => ["error", "warning"].includes(message.type()) && troubles.push(message.text()))
  context.on("weberror", (error) => troubles.push(String(error.error())))
  page.setDefaultTimeout(15_000)
  await page.goto(url)
  // The token has left the address.
  await page.waitForURL(/:\d+\/$/)
  return page
}

/** An item, or the end, is there and may be answered. */
export async function asked(page: Page): Promise<void> {
  await page.locator("#item[aria-busy=false]").waitFor()
  await page.locator("#actions button:enabled").first().waitFor()
}

/** The key is pressed, and what it started has ended. */
export async function pressed(page: Page, key: string): Promise<void> {
  const calls: Promise<unknown>[] = []
  const follow = (request: { response(): Promise<unknown> }) =>
    void calls.push(request.response().catch(() => undefined))
  page.on("request", follow)
  await page.keyboard.press(key)
  for (let quiet = 0; quiet < 3; quiet++) {
    await page.waitForTimeout(40)
    await Promise.all(calls)
  }
  page.off("request", follow)
  await asked(page)
}

/** Skips until the item with the text comes. */
export async function until(page: Page, text: string): Promise<void> {
  await asked(page)
  for (let step = 0; step < 20 && !(await textOf(page.locator("#item"))).includes(text); step++)
    await pressed(page, "s")
  expect(await textOf(page.locator("#item"))).toContain(text)
}

interface Line {
  readonly item: string
  readonly verdict: string
  readonly output?: unknown
  readonly reason?: string
  readonly reviewer: string
  readonly at: string
}

export function logOf(workspace: string, task: string): Line[] {
  const folder = join(workspace, "datasets", task, "decisions")
  if (!existsSync(folder)) return []
  const lines = readdirSync(folder).flatMap((file) => linesOf<Line>(join(folder, file)))
  return lines.sort((a, b) => (a.at < b.at ? -1 : 1))
}

export async function textOf(place: Locator): Promise<string> {
  return (await place.textContent()) ?? ""
}

/** Runs in the page: what lies beyond its edges, where one would have to scroll sideways. */
export const beyondTheEdge = `(() => {
  const width = document.documentElement.clientWidth
  return [...document.querySelectorAll("body *")].flatMap((element) => {
    const { left, right, width: own } = element.getBoundingClientRect()
    const isMeant = own > 0 && element.closest(".unseen, dialog, [hidden]") === null
    const isOut = isMeant && (right > width + 0.5 || left < -0.5)
    return isOut ? [element.tagName + " " + element.className + " " + element.textContent.slice(0, 30)] : []
  })
})()`

/** Runs in the page: texts whose contrast with what is behind them is below 4.5 (WCAG 2.2, 1.4.3). */
export const poorContrasts = `(() => {
  const channels = (colour) => (/rgba?\\(([^)]+)\\)/.exec(colour)?.[1] ?? "0,0,0,0").split(/[,/ ]+/).map(Number)
  const luminance = (colour) => {
    const linear = (share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4)
    const [red, green, blue] = channels(colour).map((value) => linear(value / 255))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const groundOf = (element) => {
    const colour = element === null ? "rgb(255, 255, 255)" : getComputedStyle(element).backgroundColor
    return channels(colour)[3] === 0 ? groundOf(element.parentElement) : colour
  }
  return [...document.querySelectorAll("body *")].flatMap((element) => {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
    if (!hasText || element.closest("[hidden], dialog, noscript, [disabled]")) return []
    const both = [luminance(getComputedStyle(element).color), luminance(groundOf(element))]
    const [light, dark] = both.sort((a, b) => b - a)
    const contrast = (light + 0.05) / (dark + 0.05)
    return contrast < 4.5 ? [element.textContent.slice(0, 40) + ": " + contrast.toFixed(2)] : []
  })
})()`
