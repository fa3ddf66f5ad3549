import { describe, expect, test } from "vitest"
import { findPersonalData } from "../../src/curation/personal-data.ts"

// Put together here so that no scanner takes this file for a leak.
const key = (prefix: string, body: string) => prefix + body
const letters = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0"

describe("finds", () => {
  test.each([
    ["email", "anna.schmidt@example.com", "write to anna.schmidt@example.com."],
    ["email", "bob+news@mail.example.co.uk", "<bob+news@mail.example.co.uk>"],
    ["email", "o'brien@163.com", "o'brien@163.com: hello"],
    ["email", "jürgen@müller.de", "Mail an jürgen@müller.de bitte"],
    ["phone", "+44 20 7946 0958", "call +44 20 7946 0958 today"],
    ["phone", "+14155552671", "(+14155552671)"],
    ["phone", "+1 (415) 555-2671", "my number is +1 (415) 555-2671."],
    ["phone", "+49 (0)30 1234567", "Tel. +49 (0)30 1234567"],
    ["phone", "(415) 555-2671", "or (415) 555-2671"],
    ["phone", "415-555-2671", "415-555-2671, please"],
    ["phone", "415.555.2671", "415.555.2671"],
    ["phone", "020 7946 0958", "ring 020 7946 0958"],
    ["phone", "06 12 34 56 78", "mon numéro: 06 12 34 56 78"],
    ["phone", "0171/1234567", "Handy 0171/1234567"],
    ["card", "4111 1111 1111 1111", "card 4111 1111 1111 1111 was declined"],
    ["card", "5555555555554444", "5555555555554444"],
    ["card", "3782-822463-10005", "amex 3782-822463-10005"],
    ["card", "6011111111111117", "6011111111111117?"],
    ["iban", "DE89 3704 0044 0532 0130 00", "to DE89 3704 0044 0532 0130 00 please"],
    ["iban", "GB29NWBK60161331926819", "GB29NWBK60161331926819"],
    ["iban", "NL91 ABNA 0417 1643 00", "NL91 ABNA 0417 1643 00 OK"],
    ["ssn", "123-45-6789", "my ssn is 123-45-6789."],
    ["ip-address", "203.0.113.42", "login from 203.0.113.42:8080"],
    ["ip-address", "192.168.1.20", "http://192.168.1.20/admin"],
    ["ip-address", "2001:db8::8a2e:370:7334", "from 2001:db8::8a2e:370:7334"],
    ["ip-address", "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "2001:0db8:85a3:0000:0000:8a2e:0370:7334"],
    ["secret", key("sk-", letters), `key ${key("sk-", letters)}`],
    ["secret", key("sk-proj-", letters), `OPENAI_API_KEY=${key("sk-proj-", letters)}`],
    ["secret", key("ghp_", letters.slice(0, 36)), key("ghp_", letters.slice(0, 36))],
    ["secret", key("gho_", letters.slice(0, 36)), `"${key("gho_", letters.slice(0, 36))}"`],
    ["secret", key("AKIA", "IOSFODNN7EXAMPLE"), `id=${key("AKIA", "IOSFODNN7EXAMPLE")}`],
    ["secret", key("xoxb-", "123456789012-abcdefghij"), key("xoxb-", "123456789012-abcdefghij")],
    ["secret", key("hf_", letters.slice(0, 34)), key("hf_", letters.slice(0, 34))],
    ["secret", key("-----BEGIN RSA ", "PRIVATE KEY-----"), `${key("-----BEGIN RSA ", "PRIVATE KEY-----")}…`],
    [
      "secret",
      key("eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w"),
      `Bearer ${key("eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w")}`,
    ],
  ])("%s %s", (kind, found, text) => {
    expect(findPersonalData(text).map((finding) => ({ kind: finding.kind, found: text.slice(finding.start, finding.end) }))).toEqual([
      { kind, found },
    ])
  })
  test("a private key to its end", () => {
    const pem = `${key("-----BEGIN ", "PRIVATE KEY-----")}\nMIIEvQIBADANBg\n${key("-----END ", "PRIVATE KEY-----")}`
    expect(findPersonalData(`${pem} end`)).toEqual([{ kind: "secret", start: 0, end: pem.length }])
  })
  test("several, in order and not overlapping", () => {
    expect(findPersonalData("ann@example.com, +44 20 7946 0958, 203.0.113.42").map(({ kind }) => kind)).toEqual(["email", "phone", "ip-address"])
  })
})

describe("raises no alarm on", () => {
  test.each([
    "",
    "where is my parcel",
    "order 1182 of 2026-11-24 at 10:30:45",
    "order number 123-456-7890",
    "tracking 1Z999AA10123456784",
    "ticket #4155552671",
    "invoice 2024-000123-45",
    "it costs 1,299.99 EUR or $4,111.11",
    "between 01-02-2024 and 02.03.2024",
    "01/02/2024 13:45, 24.12.2025",
    "version 1.2.3.4 and v10.20.30.40",
    "Chrome/120.0.0.0 on build 10.0.19045.3803",
    "section 12.10.3.4 and § 12.10.3.4",
    "127.0.0.1 and 0.0.0.0, 1.2.3.4",
    "300.1.2.3 is no address, nor 1.2.3",
    "a temperature of +12.5 or +1000 points, +15 %",
    "article 4006381333931 (barcode) and 9783161484100 (isbn)",
    "card ending 4242",
    "4111 1111 1111 1112 has a wrong check digit",
    "timestamp 1732435200000 and 1732435200000000",
    "IMEI 356938035643809",
    "DE89 3704 0044 0532 0130 01 has wrong check digits",
    "XX89 3704 0044 0532 0130 00",
    "000-12-3456 and 666-12-3456 and 912-34-5678 and 123-00-4567",
    "part 123-45-67890 and 1123-45-6789",
    "image@2x.png and package@1.2.3-rc.1",
    "git@github.com:owner/repository.git",
    "@handle and me@home and a @ b.com",
    "10:20:30 and 00:1A:2B:3C:4D:5E and std::vector::size and face::bed",
    "sk-learn and sk-how-to-learn-slowak-in-a-year",
    "AKIAKOALAPARKSANDMORE hf_model xoxo-hugs-and-kisses",
    "ratio 16:9, 3:2:1, 1::2",
    "population 7 900 000 000 or 1 234 567 890",
    "0.123456789 and 00123456789 and 3.14159265358979",
    "2024 2025 2026 2027, 100 200 300, 555-1234",
    "size 090-120 cm, pages 012-345, part 0815-4711",
    "eyJ is how JSON begins in base64",
    "pi 3141592653589793 and golden 1618033988749894",
  ])("%j", (text) => expect(findPersonalData(text)).toEqual([]))
  test("long texts without any, quickly", () => {
    const before = performance.now()
    for (const part of ["a.", "1 ", "0-", "a@", "a:", "eyJa", "+1", "AB12 ", "sk-a"]) findPersonalData(part.repeat(20_000))
    expect(performance.now() - before).toBeLessThan(5000)
  })
})
