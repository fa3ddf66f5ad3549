import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { expect, it } from "vitest"
import { keptSecret } from "../../src/store/files/private-files.ts"
import { ReviewLeases } from "../../src/web/review-leases.ts"
import { tuneloop } from "../command-line.ts"
import { reviewWorkspace } from "../web/sample-review.ts"
import { ask, call, letIn, serving, tokenOf } from "../web/serving.ts"

const amara = { reviewer: "amara", page: "page-of-amara" }

it("a client that takes name after name holds no more of the queue, and other clients keep what they have", () => {
  const leases = new ReviewLeases(() => 0)
  leases.take("own", { page: "page-of-amara", reviewer: "amara", client: "10.0.0.1" })
  for (let page = 0; page < 60; page += 1)
    leases.take(`item-${page}`, { page: `page-${page}`, reviewer: `mallory-${page}`, client: "10.0.0.2" })
  const held = Array.from({ length: 60 }, (_, page) => leases.pageOf(`item-${page}`)).filter(Boolean)
  expect(held).toHaveLength(20)
  expect(leases.pageOf("own")).toBe("page-of-amara")
})

it("names without number, asked by one client, hold no more of the queue than one name does", async () => {
  const workspace = reviewWorkspace(40)
  await serving(workspace, "moods", async ({ port }) => {
    for (let page = 0; page < 60; page += 1)
      await call(port, "next", { reviewer: `mallory-${page}`, page: `page-${page}-of-mallory` })
    expect((await call(port, "next", amara)).json.progress.elsewhere).toBe(20)
  })
  rmSync(workspace, { recursive: true })
})

it("another user cannot read the token, and it outlives the page: an open one goes on", async () => {
  const workspace = reviewWorkspace(3)
  const folder = join(workspace, ".tuneloop", "page")
  const first = await serving(workspace, "moods", ({ token }) => Promise.resolve(token))
  expect(tokenOf(workspace)).toBe(first)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  for (const name of readdirSync(folder).filter((each) => !each.endsWith(".lock")))
    expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600)
  expect(readFileSync(join(folder, ".gitignore"), "utf8")).toBe("*\n")
  expect(await serving(workspace, "moods", ({ token }) => Promise.resolve(token))).toBe(first)
  rmSync(workspace, { recursive: true })
})

it("a token that others may know is not used: open to them, come with a copy, a link, damaged", () => {
  const folder = mkdtempSync(join(tmpdir(), "tuneloop-token-"))
  const file = join(folder, "page", "token")
  const first = keptSecret(file)
  expect(keptSecret(file)).toBe(first)
  chmodSync(file, 0o644)
  const second = keptSecret(file)
  expect(second).not.toBe(first)

  const copy = join(folder, "copy")
  cpSync(join(folder, "page"), copy, { recursive: true })
  expect(keptSecret(join(copy, "token"))).not.toBe(second)

  rmSync(file)
  symlinkSync(join(copy, "token"), file)
  expect(keptSecret(file)).not.toBe(keptSecret(join(copy, "token")))

  for (const damaged of ["", "short\n1\n", "x".repeat(1000)]) {
    writeFileSync(file, damaged)
    expect(keptSecret(file)).toMatch(/^[\w-]{43}$/)
  }
  rmSync(file)
  mkdirSync(join(folder, "elsewhere"), { mode: 0o755 })
  symlinkSync(join(folder, "elsewhere"), join(folder, "linked"))
  expect(() => keptSecret(join(folder, "linked", "token"))).toThrow(/no folder of its own/)
  rmSync(folder, { recursive: true })
})

it("the token is on no command line, in no log, not in what --json prints; the browser's file leads in", async () => {
  const workspace = reviewWorkspace(3)
  // A program that stands for the browser writes down its command line, and what it would show.
  const bin = mkdtempSync(join(tmpdir(), "tuneloop-opener-"))
  const opener = join(bin, process.platform === "darwin" ? "open" : "xdg-open")
  const acts = [`echo "$@" > "${bin}/words.tmp"`, `cat "$1" > "${bin}/shown"`, `stat -c %a "$1" > "${bin}/mode"`]
  writeFileSync(opener, ["#!/bin/sh", ...acts, `mv "${bin}/words.tmp" "${bin}/words"`, ""].join("\n"))
  chmodSync(opener, 0o755)
  const words = ["review", "serve", "moods", "--port", "0", "--json", "--open"]
  const path = `${bin}${delimiter}${process.env["PATH"] ?? ""}`
  const { child, outcome } = tuneloop(workspace, words, { PATH: path })
  const printed = await new Promise<string>((resolve) =>
    child.stdout?.once("data", (chunk: Buffer) => resolve(chunk.toString())),
  )
  const shown = JSON.parse(printed) as { url: string; tokenFile: string }
  expect(shown.tokenFile).toBe(".tuneloop/page/token")
  const read = (name: string) => readFileSync(join(bin, name), "utf8")
  await expect.poll(() => readdirSync(bin), { timeout: 10_000 }).toContain("words")
  const token = tokenOf(workspace)
  expect(read("words")).toMatch(/page\/open-\d+\.html\n$/)
  expect(read("words")).not.toContain(token)
  expect(read("mode")).toBe("600\n")
  const address = /url=([^"]+)"/.exec(read("shown"))?.[1]
  expect(address).toBe(`${shown.url}?token=${token}`)
  const port = Number(new URL(shown.url).port)
  expect((await ask(port, "GET", "/")).status).toBe(401)
  expect((await letIn(port, token)).status).toBe(200)
  expect((await ask(port, "GET", "/")).status).toBe(200)
  child.kill("SIGINT")
  const { stdout, stderr } = await outcome
  expect(stdout + stderr).not.toContain(token)
  expect(readdirSync(join(workspace, ".tuneloop", "page")).sort()).toEqual([".gitignore", "token", "token.lock"])
  for (const folder of [workspace, bin]) rmSync(folder, { recursive: true })
})
