import { parse } from "csv-parse/sync"
import { existsSync, readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { madeThings, ordinaryTexts } from "../../../bench/personal-data-texts.ts"
import { seeded } from "../../seeded.ts"
import { findPersonalData } from "../../../src/curation/privacy/personal-data.ts"

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
    ["secret", key("AIza", `Sy${letters}`.slice(0, 35)), `key=${key("AIza", `Sy${letters}`.slice(0, 35))}`],
    ["secret", key("sk_live_", letters.slice(0, 24)), key("sk_live_", letters.slice(0, 24))],
    ["secret", key("glpat-", letters.slice(0, 20)), key("glpat-", letters.slice(0, 20))],
    ["secret", key("npm_", letters.slice(0, 36)), key("npm_", letters.slice(0, 36))],
    ["secret", "hunter2", "postgres://admin:hunter2@db.example.com/shop"],
    ["phone", "06.12.34.56.78", "mon numéro: 06.12.34.56.78."],
    ["phone", "0049 30 901820", "0049 30 901820 ring me"],
    ["phone", "0044 20 7946 0958", "0044 20 7946 0958 it is"],
    ["phone", "(+49) 30 901820", "ring (+49) 30 901820 now"],
    ["phone", "+1 (415) 555-2671 x12", "+1 (415) 555-2671 x12"],
    ["phone", "415-555-2671 ext. 34", "415-555-2671 ext. 34 please"],
    ["phone", "030 901820, Durchwahl 12", "030 901820, Durchwahl 12"],
    ["phone", "98765 43210", "call 98765 43210 please"],
    ["phone", "2025550143", "my number is 2025550143"],
    ["phone", "612 345 678", "WhatsApp: 612 345 678"],
    ["phone", "(11) 91234-5678", "fica (11) 91234-5678 ok"],
    ["phone", "089 / 123 45 67", "089 / 123 45 67"],
    ["email", "jane.doe@example.com", "write to jane.doe@example.com:I am waiting"],
    ["email", "jane.doe＠example.com", "mail me at jane.doe＠example.com"],
    ["email", "jane(dot)doe(at)example(dot)com", "jane(dot)doe(at)example(dot)com"],
    ["email", "jane [at] example.com", "to jane [at] example.com please"],
    ["email", '"jane doe"@example.com', '"jane doe"@example.com wrote'],
    ["email", "jane@example.photography", "jane@example.photography!"],
    ["email", "jane@example.xn--p1ai", "(jane@example.xn--p1ai)"],
    ["iban", "de89370400440532013000", "iban de89370400440532013000"],
    ["iban", "DE89-3704-0044-0532-0130-00", "IBAN: DE89-3704-0044-0532-0130-00"],
    ["iban", "nl91 abna 0417 1643 00", "nl91 abna 0417 1643 00"],
    ["card", "6759649826438453", "maestro 6759649826438453"],
    ["card", "6304 0000 0000 0000", "6304 0000 0000 0000"],
    ["ssn", "123456789", "SSN 123456789"],
    ["ssn", "123 45 6789", "my ssn is 123 45 6789"],
    ["ssn", "123456789", "Social Security number: 123456789"],
    ["national-id", "2345 6789 0124", "Aadhaar 2345 6789 0124"],
    ["secret", "hunter2", "password: hunter2"],
    ["secret", "Tr0ub4dor&3", 'the password is "Tr0ub4dor&3"'],
    ["secret", "geheim!7", "Passwort: geheim!7"],
    ["secret", key("abcdefghij", "1234567890"), `Authorization: Bearer ${key("abcdefghij", "1234567890")}`],
    [
      "secret",
      key("wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYEXAMPLEKEY"),
      `aws_secret_access_key = ${key("wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYEXAMPLEKEY")}`,
    ],
    ["secret", key("abcdefgh", "12345678"), `api_key="${key("abcdefgh", "12345678")}"`],
    ["national-id", "AB 12 34 56 C", "my number is AB 12 34 56 C."],
    ["national-id", "AB123456C", "National Insurance number: AB123456C"],
    ["national-id", "85.07.30-033.28", "rijksregister 85.07.30-033.28"],
    ["national-id", "85073003328", "INSZ 85073003328"],
    ["national-id", "111222333", "mijn BSN is 111222333"],
    ["national-id", "44051401359", "PESEL: 44051401359"],
    ["national-id", "10000000146", "T.C. kimlik no: 10000000146"],
    ["national-id", "12345678Z", "DNI 12345678Z"],
    ["national-id", "X1234567L", "soy X1234567L"],
    ["national-id", "RSSMRA85T10A562S", "codice fiscale RSSMRA85T10A562S"],
    ["national-id", "1 85 05 78 006 084 91", "numéro 1 85 05 78 006 084 91"],
    ["national-id", "131052-308T", "henkilötunnus 131052-308T"],
  ])("%s %s", (kind, found, text) => {
    expect(
      findPersonalData(text).map((finding) => ({ kind: finding.kind, found: text.slice(finding.start, finding.end) })),
    ).toEqual([{ kind, found }])
  })
  test("a private key to its end", () => {
    const pem = `${key("-----BEGIN ", "PRIVATE KEY-----")}\nMIIEvQIBADANBg\n${key("-----END ", "PRIVATE KEY-----")}`
    expect(findPersonalData(`${pem} end`)).toEqual([{ kind: "secret", start: 0, end: pem.length }])
  })
  test("listed names, as words and as they are written", () => {
    const text = "Anna Maria met Anna, Hannah and will; anna's mail was from Will."
    const found = findPersonalData(text, ["Anna", "Anna Maria", "Will"])
    expect(found.map(({ kind, start, end }) => [kind, text.slice(start, end)])).toEqual([
      ["name", "Anna Maria"],
      ["name", "Anna"],
      ["name", "Will"],
    ])
    expect(findPersonalData("a.b or axb?", ["a.b"])).toHaveLength(1)
  })
  test("several, in order and not overlapping", () => {
    expect(findPersonalData("ann@example.com, +44 20 7946 0958, 203.0.113.42").map(({ kind }) => kind)).toEqual([
      "email",
      "phone",
      "ip-address",
    ])
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
    "article AB123456C and AB-12-34-56-C, BG 12 34 56 A",
    "parcel 85073003328 and 44051401359, order 10000000146, invoice 111222333",
    "BSN 111222334 and PESEL 44051401358 and TCKN 10000000147 and PESEL 44051301358",
    "12345678A and X1234567A and size 12345678ZZ",
    "RSSMRA85T10A562T and ABCDEF12G34H567I",
    "85.07.30-033.29 and 1 85 05 78 006 084 90",
    "131052-308U and 311399-308T",
    "https://example.com:8080/a@b and postgres://db.example.com:5432/shop",
    "sk_test_short npm_install glpat-x AIzaShort SG.1.2",
    "2026-11-24T13:05:00Z, 24/11/2026 13:05, KW 48, Q4 2026, 13.05 Uhr",
    "€ 1.234.567,89; 12 345,67 zł; ₹12,34,567; 1'234'567.89 CHF; 0,99 €/kg",
    "TL-33570, 44-0183, #20917, RMA 2024/0815, SN C02XL0GTJGH5, EAN 4006381333931",
    "node 24.21.0, iOS 18.1.1, Android 15, kernel 6.8.0-45-generic, firmware 2.10.4.1",
    "coordinates 52.5200, 13.4050 and 37.7749° N, 122.4194° W",
    "scores 21-15 21-18, ratios 3/4, 100 m in 9.58, IPv4, RFC 8785, ISO 8601-1:2019",
    "password: please reset it; password is wrong, passcode is required, pwd: ...",
    "bearer of bad news, Bearer authentication is used, api_key: YOUR_KEY_HERE",
    "call me in 10 minutes or on 2026-11-24 10:30, call center order 12345678",
    "text the code 123456 to us; contact room 12.345; my account number is 12345678",
    "the phone costs 1299.00 and the tablet 1 299,00; telephone season 2019-2024",
    "part 555-234-5678-90 fits, article 0632 5660 96, readings 0258 0804 9444",
    "guid 110bcd25-a55d-453a-8046-1297901ea002, de89abcdef0123456789abcd",
    "meet (at) noon, we are [at] home, look at example.com dot",
    "scp notes.txt host:/tmp/ and user@host:22, git@host.example.com:team/app.git",
    "01.02.03 and 01.02.03.04 and 06.12.2024 10:00",
    "form 123456789, ids 123 45 6789 and 2345 6789 0124",
  ])("%j", (text) => expect(findPersonalData(text)).toEqual([]))
  test("long texts without any, quickly", () => {
    const before = performance.now()
    for (const part of [
      "a.",
      "1 ",
      "0-",
      "a@",
      "a:",
      "eyJa",
      "+1",
      "AB12 ",
      "sk-a",
      "call ",
      "tel 1",
      "a(dot)",
      "00 1 ",
      "password: ",
      "a. (at) ",
      "x.(at)",
    ])
      findPersonalData(part.repeat(20_000))
    expect(performance.now() - before).toBeLessThan(5000)
  })
})

const banking = new URL("../../../../shared/data/banking77/", import.meta.url)

test("the made-up things of the bench are found, and hardly any alarm is raised beside them", () => {
  const random = seeded(7)
  const found = { right: 0, missed: 0, false: 0 }
  for (const { text, thing } of [...madeThings(random, 60), ...ordinaryTexts(random, 400)]) {
    const findings = findPersonalData(text)
    const met = findings.filter(
      ({ kind, start, end }) => kind === thing?.kind && start < thing.end && thing.start < end,
    )
    found.right += met.length
    found.missed += Number(thing !== undefined && met.length === 0)
    found.false += findings.length - met.length
  }
  expect(found.missed).toBeLessThan(6)
  expect(found.false / (found.false + found.right)).toBeLessThan(0.01)
})

test.skipIf(!existsSync(banking))("raises no alarm on any of the 13,083 queries of banking77", () => {
  for (const file of ["train.csv", "test.csv"])
    for (const { text } of parse(readFileSync(new URL(file, banking)), { columns: true }) as { text: string }[])
      expect(findPersonalData(text), text).toEqual([])
})
