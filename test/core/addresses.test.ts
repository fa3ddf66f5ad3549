import { expect, it } from "vitest"
import { addressRefusal, addressSchema, allowedHostSchema } from "../../src/core/addresses.ts"
import { redactSecrets, ToolkitError } from "../../src/core/errors.ts"

const may = (address: string, ...allowed: string[]) => addressRefusal(address, allowed) === undefined

it.each([
  ["https://api.example.com/v1", "api.example.com"],
  ["https://api.example.com/v1", "API.Example.com"],
  ["https://API.example.com./v1", "api.example.com"],
  ["https://api.example.com/v1", "https://api.example.com/"],
  ["https://api.example.com/v1", "api.example.com:443"],
  ["https://api.example.com:8443/v1", "api.example.com:8443"],
  ["https://api.example.com/v1", "http://api.example.com"],
  ["http://10.1.2.3:8265", "http://10.1.2.3:8265"],
  ["http://10.1.2.3:8265", "HTTP://10.1.2.3"],
  ["http://10.1.2.3/v1", "http://10.1.2.3:80"],
  ["http://[fd00::1]:8000/v1", "http://[FD00::1]:8000"],
  ["http://[fd00::1]:8000/v1", "http://fd00:0:0:0:0:0:0:1"],
  ["https://[fd00::1]/v1", "fd00::1"],
  ["http://[::1]:11434/v1", "::1"],
  ["http://[::1]:11434/v1", "[::1]:11434"],
  ["http://127.0.0.1:11434/v1", "127.0.0.1"],
  ["http://LOCALHOST:11434/v1", "localhost"],
])("examples may go to %s where %s is allowed", (address, allowed) => {
  expect(addressRefusal(address, ["other.example", allowed])).toBeUndefined()
  expect(allowedHostSchema.safeParse(allowed).success).toBe(true)
})

it.each([
  ["https://api.example.com/v1", "example.com"],
  ["https://api.example.com.evil.example/v1", "api.example.com"],
  ["https://evil.example/v1?api.example.com", "api.example.com"],
  ["https://api.example.com@evil.example/v1", "api.example.com"],
  ["https://api.example.com:8443/v1", "api.example.com:443"],
  ["http://10.1.2.3:8265", "http://10.1.2.3:8000"],
  ["http://10.1.2.3:8265", "10.1.2.3"],
  ["http://10.1.2.3:8265", "https://10.1.2.3:8265"],
  ["http://api.example.com/v1", "api.example.com"],
  ["http://127.0.0.1.evil.example/v1", "127.0.0.1.evil.example"],
  ["http://localhost.evil.example/v1", "localhost.evil.example"],
])("examples may not go to %s where %s is allowed", (address, allowed) => {
  expect(may(address, allowed)).toBe(false)
})

it("names the very entry that would allow an address without encryption", () => {
  const refusal = addressRefusal("http://10.1.2.3:8265/api", ["10.1.2.3"])
  expect(refusal?.message).toContain("http://10.1.2.3:8265 is not encrypted")
  expect(refusal?.hint).toContain("add http://10.1.2.3:8265 to allowedHosts")
  expect(may("http://10.1.2.3:8265/api", "http://10.1.2.3:8265")).toBe(true)
})

it.each(["", " ", "*.example.com", "api.example.com/v1", "user@host", "ftp://host", "host:port", "host:99999"])(
  "%j is no host that can be allowed",
  (entry) => {
    expect(allowedHostSchema.safeParse(entry).success).toBe(false)
  },
)

it.each([
  "https://user:hidden@api.example.com/v1",
  "https://hidden@api.example.com/v1",
  "https://api.example.com/v1?api_key=hidden",
  "https://api.example.com/v1#hidden",
])("%s has a secret in it: it is refused, and shown in no error", (address) => {
  const { error } = addressSchema.safeParse(address)
  expect(error?.issues.map(({ message }) => message).join()).toMatch(/^has a (user or a password|query)/)
  expect(JSON.stringify(error?.issues)).not.toContain("hidden")
})

it.each([
  "cannot reach https://me:hid/den@host/v1",
  "got https://me:hidden@host/v1",
  'got "https://me:hiddenhiddenhidden…',
  "https://host/v1?api_key=hidden&x=1",
  "https://host/v1?x=1&X-Amz-Signature=hidden",
  "postgres://me:hidden@host:5432/db and https://hidden@host/",
])("no error shows the secret of %j", (text) => {
  const { message, hint } = new ToolkitError(text, { code: "x", hint: text })
  expect(`${message}${hint}`.replace("hid/den", "")).not.toContain("hidden")
})

it("leaves addresses without a secret as they are", () => {
  const text = "see https://example.com:8443/v1?page=2 and mail me@example.com, http://127.0.0.1:8000/v1"
  expect(redactSecrets(text)).toBe(text)
})
