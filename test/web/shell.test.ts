import { connect } from "node:net"
import { expect, it } from "vitest"
import { refuse, type Knock } from "../../src/web/shell-guard.ts"
import { ask, call, complaints, serving } from "./serving.ts"
import { reviewWorkspace } from "./sample-review.ts"

const workspace = reviewWorkspace(4)
const knock: Knock = {
  method: "POST",
  path: "/api/next",
  host: "127.0.0.1:4600",
  origin: "http://127.0.0.1:4600",
  site: "same-origin",
  contentType: "application/json",
  token: "the-right-token",
}
const loopback = { host: "127.0.0.1", token: "the-right-token" }
const open = { host: "0.0.0.0", token: "the-right-token" }

it("lets in the page's own requests, under each name of this machine and through a forwarded port", () => {
  for (const host of ["127.0.0.1:4600", "localhost:4600", "[::1]:4600", "localhost:9000", "LOCALHOST", "127.0.0.7"])
    expect(refuse(loopback, { ...knock, host, origin: `http://${host}` }), host).toBeUndefined()
  expect(
    refuse(loopback, {
      ...knock,
      method: "GET",
      path: "/",
      origin: undefined,
      site: "cross-site",
      contentType: undefined,
    }),
  ).toBeUndefined()
})

it.each<[string, Partial<Knock>, number]>([
  [
    "a name that is not ours, as after DNS rebinding",
    { host: "evil.example:4600", origin: "http://evil.example:4600" },
    421,
  ],
  [
    "a name that only looks like ours",
    { host: "127.0.0.1.evil.example", origin: "http://127.0.0.1.evil.example" },
    421,
  ],
  [
    "an address of the network, where only this machine is served",
    { host: "192.168.0.9:4600", origin: "http://192.168.0.9:4600" },
    421,
  ],
  ["no name at all", { host: undefined }, 421],
  ["a name with a user before it", { host: "127.0.0.1@evil.example" }, 421],
  ["a foreign origin", { origin: "https://evil.example" }, 403],
  ["another port's page", { origin: "http://127.0.0.1:3000" }, 403],
  ["an opaque origin, as of a sandboxed frame", { origin: "null" }, 403],
  ["a foreign page without an origin", { origin: undefined, site: "cross-site" }, 403],
  ["a page of the same site that is not ours", { origin: undefined, site: "same-site" }, 403],
  ["a form", { contentType: "application/x-www-form-urlencoded" }, 415],
  ["plain text", { contentType: "text/plain" }, 415],
  ["no type", { contentType: undefined }, 415],
])("refuses %s", (_name, change, status) => {
  expect(refuse(loopback, { ...knock, ...change })?.status).toBe(status)
})

it(
  "lets in by the token only, on this machine as well; elsewhere under addresses in digits and the name it was " +
    "started with",
  () => {
    for (const token of [undefined, "", "the-right-toke"])
      expect(refuse(loopback, { ...knock, token })?.status, token).toBe(401)
    const from = (host: string, token?: string) =>
      refuse(open, { ...knock, host, origin: `http://${host}`, token })?.status
    expect(from("192.168.0.9:4600", "the-right-token")).toBeUndefined()
    for (const token of [undefined, "", "the-right-toke", "the-right-token1", "THE-RIGHT-TOKEN"])
      expect(from("192.168.0.9:4600", token)).toBe(401)
    expect(from("evil.example", "the-right-token")).toBe(421)
    expect(
      refuse(
        { ...open, host: "Box.local" },
        { ...knock, host: "box.local:1", origin: "http://box.local:1", token: "the-right-token" },
      ),
    ).toBeUndefined()
  },
)

it.each(["127.0.0.1", "0.0.0.0"])(
  "over HTTP at %s: the token moves into a cookie and out of the address; without it nothing is told, not even " +
    "what the page looks like",
  (host) =>
    serving(
      workspace,
      "moods",
      async ({ port, token }) => {
        expect(token).toMatch(/^[\w-]{43}$/)
        const none = { cookie: "" }
        for (const path of ["/", "/style.css", "/page/review.js", "/?token=wrong", "/?token="]) {
          const { status, body } = await ask(port, "GET", path, none)
          expect(status, path).toBe(401)
          expect(body).not.toContain("moods")
        }
        expect((await call(port, "next", { reviewer: "amara", page: "12345678" }, none)).status).toBe(401)
        const first = await ask(port, "GET", `/?token=${token}`, { ...none, "sec-fetch-site": "cross-site" })
        // Our own page goes on, and leaves no trace of the address: after a redirect the strict cookie would stay away.
        expect(first).toMatchObject({ status: 200, headers: { "referrer-policy": "no-referrer" } })
        expect(first.body).toContain('<meta http-equiv="refresh" content="0; url=/">')
        expect(first.body).not.toContain(token)
        const cookie = String(first.headers["set-cookie"])
        expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/)
        const headers = { cookie: `other=1; ${cookie.split(";")[0]}` }
        expect((await ask(port, "GET", "/", headers)).status).toBe(200)
        expect((await call(port, "next", { reviewer: "amara", page: "12345678" }, headers)).json.item.id).toMatch(
          /^[a-z]+_/,
        )
        expect((await call(port, "next", {}, { ...headers, origin: "http://evil.example" })).status).toBe(403)
      },
      { host },
    ),
)

it("every answer has the policies that keep foreign code out, refusals as well", () =>
  serving(workspace, "moods", async ({ port }) => {
    for (const answer of [
      await ask(port, "GET", "/"),
      await ask(port, "GET", "/nothing"),
      await call(port, "task", {}),
      await ask(port, "GET", "/", { host: "evil.example" }),
    ]) {
      const policy = String(answer.headers["content-security-policy"])
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toMatch(/unsafe|\*|https?:|data:/)
      expect(answer.headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
      })
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined()
    }
  }))

it("the document has no inline code and no address but its own, and its modules never make markup from texts", () =>
  serving(workspace, "moods", async ({ port }) => {
    const document = await ask(port, "GET", "/")
    expect(document.body).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|https?:/)
    const seen = new Set<string>()
    const follow = async (path: string): Promise<void> => {
      if (seen.has(path)) return
      seen.add(path)
      const module = await ask(port, "GET", path)
      expect(module, path).toMatchObject({ status: 200, headers: { "content-type": "text/javascript; charset=utf-8" } })
      expect(module.body, path).not.toMatch(
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|https?:\/\//,
      )
      for (const [, name] of module.body.matchAll(/from "\.\/([\w-]+\.js)"/g)) await follow(`/page/${name}`)
    }
    await follow("/page/review.js")
    expect(seen.size).toBeGreaterThan(8)
  }))

it("what is no request of the page gets a sentence and breaks nothing", () =>
  serving(workspace, "moods", async ({ port }) => {
    const json = { "content-type": "application/json" }
    expect((await ask(port, "POST", "/api/next", json, "{")).status).toBe(400)
    expect((await ask(port, "POST", "/api/next", json, [])).json.message).toContain("expected object")
    expect((await ask(port, "POST", "/api/next", json, { reviewer: " ", page: "12345678" })).json.message).toContain(
      "reviewer",
    )
    expect((await ask(port, "POST", "/api/next", json, { reviewer: "amara", page: "12345678", more: 1 })).status).toBe(
      400,
    )
    expect((await ask(port, "POST", "/api/constructor", json, {})).status).toBe(404)
    expect((await ask(port, "GET", "/api/next")).status).toBe(405)
    expect((await ask(port, "GET", "/page/..%2f..%2f..%2fpackage.json")).status).toBe(404)
    expect((await ask(port, "GET", "//evil.example/page/review.js")).status).toBe(404)
    expect(
      (
        await ask(port, "POST", "/api/check", json, { item: "x", output: "a".repeat(9 * 2 ** 20) }).catch(() => ({
          status: 413,
        }))
      ).status,
    ).toBe(413)
    await new Promise((closed) =>
      connect(port, "127.0.0.1")
        .on("close", closed)
        .on("data", () => undefined)
        .end("GET http:// HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"),
    )
    expect((await call(port, "next", { reviewer: "amara", page: "12345678" })).status).toBe(200)
    expect(complaints).toEqual([])
  }))
