/** A text, and the one thing in it that is personal. */
export interface MadeText {
  readonly text: string
  readonly thing?: { readonly kind: string; readonly start: number; readonly end: number }
}

type Random = () => number

/** So many texts of each kind with a thing of that kind in it. Made without a look at what finds them. */
export function madeThings(random: Random, count: number): MadeText[] {
  const makers: Readonly<Record<string, (random: Random) => string>> = {
    phone,
    email,
    iban,
    card,
    ssn: (draw) => `${between(draw, 100, 665)}-${pad(between(draw, 1, 99), 2)}-${pad(between(draw, 1, 9999), 4)}`,
    secret,
  }
  return Object.entries(makers).flatMap(([kind, make]) =>
    Array.from({ length: count }, (): MadeText => {
      const thing = make(random)
      const [before, after] = pick(random, sentences[kind] as [string, string][])
      const start = before.length
      return { text: `${before}${thing}${after}`, thing: { kind, start, end: start + thing.length } }
    }),
  )
}

/** Texts of every day with numbers in them, of which none is personal. */
export function ordinaryTexts(random: Random, count: number): MadeText[] {
  const n = (least: number, most: number) => String(between(random, least, most))
  const two = (least: number, most: number) => pad(between(random, least, most), 2)
  const digits = (length: number) => Array.from({ length }, () => n(0, 9)).join("")
  const hex = (length: number) => Array.from({ length }, () => between(random, 0, 15).toString(16)).join("")
  const date = () =>
    pick(random, [
      () => `20${two(10, 29)}-${two(1, 12)}-${two(1, 28)}`,
      () => `${two(1, 28)}.${two(1, 12)}.20${two(10, 29)}`,
      () => `${two(1, 12)}/${two(1, 28)}/20${two(10, 29)}`,
      () => `${two(1, 28)}-${two(1, 12)}-20${two(10, 29)}`,
      () => `20${two(10, 29)}${two(1, 12)}${two(1, 28)}`,
      () => `${two(1, 28)} ${two(1, 12)} 20${two(10, 29)}`,
    ])()
  const time = () => `${two(0, 23)}:${two(0, 59)}:${two(0, 59)}`
  const makers = [
    () => `The meeting on ${date()} at ${time()} was moved to ${date()}.`,
    () => `order ${digits(10)} shipped ${date()}, tracking 1Z${digits(3)}AA${digits(10)}`,
    () => `invoice no. ${n(2019, 2026)}-${digits(5)} over ${n(1, 9)},${digits(3)}.${two(0, 99)} EUR is due ${date()}`,
    () => `ISBN 978-${n(0, 9)}-${digits(2)}-${digits(6)}-${n(0, 9)}, pages ${n(100, 499)}-${n(500, 999)}`,
    () => `the job ${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)} stopped at ${digits(13)}`,
    () => `update from version ${n(1, 20)}.${n(0, 40)}.${n(0, 90)}.${n(1, 9)} to ${n(1, 20)}.${n(0, 40)}.${n(0, 90)}`,
    () => `call me in ${n(2, 59)} minutes, the train ${n(100, 9999)} leaves platform ${n(1, 20)} at ${time()}`,
    () => `my account was charged ${n(10, 99)}.${two(0, 99)} and ${n(100, 999)}.${two(0, 99)} on ${date()}`,
    () => `score ${n(0, 9)}-${n(0, 9)}, attendance ${n(10, 99)} ${digits(3)}, season ${n(1990, 2010)}-${n(2011, 2026)}`,
    () => `part ${digits(3)}-${digits(3)}-${digits(4)}-${two(0, 99)} fits the ${n(100, 999)}-${n(10, 99)} series`,
    () => `please text the code ${digits(6)} or ${digits(3)} ${digits(3)} to confirm`,
    () => `temperature -${n(1, 30)}.${n(0, 9)}, pressure 0${n(90, 99)}.${digits(2)}, reading 00${digits(6)}`,
    () => `coordinates ${n(10, 89)}.${digits(6)}, -${n(10, 179)}.${digits(6)}`,
    () => `ticket #${digits(7)}: size ${n(30, 60)}/${n(30, 60)}, article ${digits(4)} ${digits(4)} ${digits(2)}`,
    () => `the phone costs ${n(100, 999)}.${two(0, 99)} and ships on ${date()} with order ${digits(8)}`,
    () => `${digits(4)} ${digits(4)} ${digits(4)} are the last readings, ${n(2000, 2019)} to ${n(2020, 2026)}`,
    () => `commit ${hex(40)} of ${date()} ${time()}`,
    () => `log ${date()}T${time()}.${digits(3)}Z took ${digits(5)} ms, ${digits(7)} bytes`,
    () => `contact the office before ${date()}, room ${n(1, 9)}.${digits(3)}`,
    () => `pi is 3.${digits(12)}; population 1 ${digits(3)} ${digits(3)} ${digits(3)}`,
  ]
  return Array.from({ length: count }, () => ({ text: pick(random, makers)() }))
}

const sentences: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  phone: [
    ["please call me on ", " after six"],
    ["my number is ", ", thanks"],
    ["Tel. ", ""],
    ["You find me under ", " most days."],
    ["", " is where I can be found"],
    ["phone: ", "\nbest regards"],
    ["Bitte um Rückruf: ", "."],
    ["I gave the shop (", ") and nobody rang"],
  ],
  email: [
    ["write to ", " please"],
    ["mail: ", ", thanks"],
    ["<", ">"],
    ["my address is ", "."],
    ["reply to ", ":I wait"],
    ["", " wrote yesterday"],
  ],
  iban: [
    ["transfer it to ", " please"],
    ["IBAN: ", "."],
    ["", " is my account"],
    ["refund (", ")"],
  ],
  card: [
    ["my card ", " was declined"],
    ["card no: ", "."],
    ["", " expires soon"],
  ],
  ssn: [
    ["my ssn is ", "."],
    ["", " is on the form"],
    ["social security number ", ", please check"],
  ],
  secret: [
    ["here it is: ", " please rotate it"],
    ["", "\nend"],
    ["config has ", " in it"],
  ],
}

/** National plans by how people write them; X is any digit, N one from 2 to 9. */
const plans: readonly {
  readonly code: string
  readonly area: readonly string[]
  readonly national: readonly string[]
}[] = [
  {
    code: "1",
    area: ["NXX NXX XXXX", "NXX-NXX-XXXX", "NXXNXXXXXX"],
    national: ["(NXX) NXX-XXXX", "NXX-NXX-XXXX", "NXX.NXX.XXXX", "1-NXX-NXX-XXXX", "NXX NXX XXXX"],
  },
  {
    code: "44",
    area: ["20 7XXX XXXX", "7XXX XXXXXX", "161 NXX XXXX"],
    national: ["020 7XXX XXXX", "07XXX XXXXXX", "(0161) NXX XXXX", "07XXX XXX XXX"],
  },
  {
    code: "49",
    area: ["30 NXXXXXX", "171 NXXXXXX", "89/NXXXXXX"],
    national: ["030 NXXXXXX", "0171 NXXXXXX", "030/NXXXXXX", "0171-NXXXXXX", "089 / NXX XX XX"],
  },
  {
    code: "33",
    area: ["6 XX XX XX XX", "1 NX XX XX XX"],
    national: ["06 XX XX XX XX", "06.XX.XX.XX.XX", "01-NX-XX-XX-XX"],
  },
  { code: "31", area: ["6 NXXXXXXX", "20 NXX XXXX"], national: ["06-NXXXXXXX", "020 NXX XXXX", "06 NX XX XX XX"] },
  { code: "34", area: ["6XX XXX XXX"], national: ["6XX XXX XXX"] },
  { code: "39", area: ["3XX XXXXXXX", "06 NXXX XXXX"], national: ["06 NXXX XXXX", "3XX XXX XXXX"] },
  { code: "41", area: ["79 XXX XX XX"], national: ["079 XXX XX XX", "044 NXX XX XX"] },
  { code: "48", area: ["6XX XXX XXX"], national: ["6XX XXX XXX"] },
  { code: "55", area: ["11 9XXXX-XXXX"], national: ["(11) 9XXXX-XXXX", "(21) NXXX-XXXX"] },
  { code: "61", area: ["4XX XXX XXX", "2 9XXX XXXX"], national: ["04XX XXX XXX", "(02) 9XXX XXXX"] },
  { code: "81", area: ["90-XXXX-XXXX", "3-NXXX-XXXX"], national: ["090-XXXX-XXXX", "03-NXXX-XXXX"] },
  { code: "86", area: ["138 XXXX XXXX"], national: ["138 XXXX XXXX"] },
  { code: "91", area: ["98XXX XXXXX", "98XXXXXXXX"], national: ["98XXX XXXXX", "098XXX XXXXX"] },
]

function phone(random: Random): string {
  const { code, area, national } = pick(random, plans)
  const how = random()
  const extension = random() < 0.08 ? pick(random, [" x12", " ext. 345", " ext 7"]) : ""
  if (how < 0.4)
    return (
      filled(random, pick(random, [`+${code} `, `+${code}-`, `+${code}`, `(+${code}) `]) + pick(random, area)) +
      extension
    )
  if (how < 0.5) return filled(random, `00${code} ${pick(random, area)}`) + extension
  return filled(random, pick(random, national)) + extension
}

function filled(random: Random, pattern: string): string {
  return pattern.replace(/[XN]/g, (sign) => String(between(random, sign === "N" ? 2 : 0, 9)))
}

function email(random: Random): string {
  const names = ["jane", "doe", "maria", "o'brien", "li", "kumar", "jürgen", "sales", "x9"]
  const [a, b] = [pick(random, names), pick(random, names)]
  const local = pick(random, [a, `${a}.${b}`, `${a}_${b}${between(random, 1, 99)}`, `${a}+news`, `${a}-${b}`])
  const domain = pick(random, [
    "example.com",
    "mail.example.co.uk",
    "eu.support.mail.example.org",
    "example.photography",
    "müller.de",
    "example.international",
    "xn--bcher-kva.example",
    "example.museum",
    "163.com",
  ])
  return `${random() < 0.1 ? local.toUpperCase() : local}@${domain}`
}

/** A country, the digits of the bank and account, and the check digits of ISO 7064. */
function iban(random: Random): string {
  const [country, pattern] = pick(random, [
    ["DE", "dddddddddddddddddd"],
    ["GB", "aaaadddddddddddddd"],
    ["FR", "ddddddddddddddddddddddd"],
    ["NL", "aaaadddddddddd"],
    ["ES", "dddddddddddddddddddd"],
    ["CH", "ddddddddddddddddd"],
    ["PL", "dddddddddddddddddddddddd"],
  ] as const)
  const account = pattern.replace(/[da]/g, (sign) =>
    sign === "d" ? String(between(random, 0, 9)) : String.fromCharCode(65 + between(random, 0, 25)),
  )
  const number = [...`${account}${country}00`].map((sign) => String(Number.parseInt(sign, 36))).join("")
  const whole = `${country}${pad(98 - Number(BigInt(number) % 97n), 2)}${account}`
  const sign = pick(random, ["", " ", " ", "-"])
  const written = sign === "" ? whole : (whole.match(/.{1,4}/g) ?? []).join(sign)
  return random() < 0.2 ? written.toLowerCase() : written
}

function card(random: Random): string {
  const [prefix, length] = pick(random, [
    ["4", 16],
    ["51", 16],
    ["37", 15],
    ["6011", 16],
    ["6759", 16],
    ["5018", 16],
    ["6304", 18],
    ["2221", 16],
  ] as const)
  const body = prefix + Array.from({ length: length - prefix.length - 1 }, () => between(random, 0, 9)).join("")
  const sum = [...body].reverse().reduce((total, digit, at) => {
    const value = Number(digit) * (at % 2 === 0 ? 2 : 1)
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  const whole = `${body}${(10 - (sum % 10)) % 10}`
  const sign = length === 16 ? pick(random, ["", " ", "-"]) : ""
  return sign === "" ? whole : (whole.match(/.{4}/g) ?? []).join(sign)
}

function secret(random: Random): string {
  const some = (length: number, signs = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789") =>
    Array.from({ length }, () => signs[between(random, 0, signs.length - 1)]).join("")
  return pick(random, [
    () => `password: ${some(6)}${between(random, 10, 99)}!`,
    () => `pwd=${some(5)}#${between(random, 1, 9)}`,
    () => `Passwort: ${some(4)}-${between(random, 100, 999)}`,
    () => `Authorization: Bearer ${some(20)}${between(random, 10, 99)}${some(8)}`,
    () => `aws_secret_access_key = ${some(18)}7/${some(19)}4`,
    () => `api_key="${some(23)}9${some(8)}"`,
    () => `${["gh", "p_"].join("")}${some(36)}`,
    () => `${["sk", "-proj-"].join("")}${some(20)}4${some(19)}`,
  ])()
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)] as Item
}

function between(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1))
}

function pad(number: number, length: number): string {
  return String(number).padStart(length, "0")
}
