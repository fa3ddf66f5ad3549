import { describe, expect, it } from "vitest"
import { z } from "zod"
import { ConfigError } from "../../../src/core/errors.ts"
import { parseYaml } from "../../../src/core/parse.ts"
import { strategyIssues, taskIssues } from "../../../src/core/task/task-checks.ts"
import { outputIssues, parseOutput } from "../../../src/core/task/output.ts"
import { labelsOf, taskKinds, taskSchema } from "../../../src/core/task/task.ts"
import { optionIssues } from "../../../src/cli/option-issues.ts"
import language from "../../../src/filters/language.ts"
import repetition from "../../../src/filters/repetition.ts"
import recombine from "../../../src/strategies/recombine.ts"

const valid = `task: mood
kind: label
description: x
input:
  text: { maxLength: 100 }
output:
  labels:
    glad: good mood
    sad: bad mood
`
const plugins = {
  strategies: { recombine },
  filters: { language, repetition },
  metrics: { accuracy: { options: z.strictObject({ normalise: z.boolean().default(false) }) } },
  incumbents: [
    { name: "few-shot", kinds: taskKinds, hasArgument: false },
    { name: "linear", kinds: ["label"] as const, hasArgument: false },
    { name: "recorded", kinds: taskKinds, hasArgument: true },
  ],
  models: ["openai"],
  optionIssues,
}
const problems = (text: string) => {
  try {
    parseYaml(taskSchema, text, "specs/mood.yaml", "hint", (raw, value) =>
      value === undefined
        ? strategyIssues((raw as { expand?: { strategies?: unknown } } | null)?.expand?.strategies, plugins)
        : taskIssues(value, plugins),
    )
  } catch (error) {
    if (error instanceof ConfigError)
      return error.issues.map(({ line, path, message }) => `${line}: ${path}: ${message}`)
    throw error
  }
  return []
}

describe("a specification", () => {
  it("that is right has no problems", () => {
    expect(problems(valid)).toEqual([])
    expect(problems(valid.replaceAll("\n", "\r\n"))).toEqual([])
    expect(problems(`# yaml-language-server: x\n---\n${valid}`)).toEqual([])
  })

  it.each([
    [
      "no kind",
      valid.replace("kind: label\n", ""),
      [/^\d+: kind: missing; allowed: label, multilabel, json, text, chat/],
    ],
    [
      "a wrong kind and what it hides",
      valid.replace("label\n", "labl\n").replace("maxLength", "maxLenth"),
      [/^2: kind: .*"label"/, /^5: input\.text\.maxLenth: .*"maxLength"/],
    ],
    [
      "an unknown key deep inside",
      valid.replace("maxLength: 100", "maxlength: 100"),
      [/^5: input\.text\.maxlength: unknown key; did you mean "maxLength"/],
    ],
    ["one label only", valid.replace("    sad: bad mood\n", ""), [/^7: output\.labels: needs at least two labels/]],
    ["a label with a space at its end", valid.replace("sad:", '"sad ":'), [/^7: output\.labels: .*white space/]],
    ["a name that is no file name", valid.replace("task: mood", "task: My Mood"), [/^1: task: .*"My Mood"/]],
    [
      "an out-of-scope label that is none",
      `${valid}  outOfScope: other\n`,
      [/^10: output\.outOfScope: must be one of the labels/],
    ],
    [
      "an unknown placeholder",
      `${valid}prompt:\n  system: "one of {lables}"\n`,
      [/^11: prompt\.system: .*"lables".*"labels"/],
    ],
    [
      "a placeholder that names no field",
      `${valid}prompt: { user: "{body}" }\n`,
      [/^10: prompt\.user: .*"body".*text/],
    ],
    ["an unknown incumbent", `${valid}verdict: { incumbent: fewshot }\n`, [/^10: verdict\.incumbent: .*"few-shot"/]],
    [
      "an unknown option of the metric",
      `${valid}verdict: { metric: "accuracy:normalize=true" }\n`,
      [/^10: verdict\.metric: accuracy, normalize: unknown key; did you mean "normalise"/],
    ],
    [
      "options of the metric that are none",
      `${valid}verdict: { metric: "accuracy:normalise" }\n`,
      [/^10: verdict\.metric: got "normalise"; options are written name:key=value,key=value/],
    ],
    [
      "an incumbent that other kinds of task have",
      `${valid.slice(0, valid.indexOf("output:")).replace("kind: label", "kind: text")}verdict: { ` +
        `incumbent: linear }\n`,
      [/^6: verdict\.incumbent: got "linear"; allowed: few-shot, recorded$/],
    ],
    [
      "an argument of an incumbent that takes none",
      `${valid}verdict: { incumbent: "few-shot:nearest" }\n`,
      [/^10: verdict\.incumbent: got "few-shot:nearest"; allowed: few-shot, linear, recorded/],
    ],
    ["an unknown metric", `${valid}verdict: { metric: acuracy }\n`, [/^10: verdict\.metric: .*"accuracy"/]],
    [
      "an unknown provider",
      `${valid}expand:\n  model:\n    provider: openia\n`,
      [/^12: expand\.model\.provider: .*"openai"/],
    ],
    [
      "an address that is none",
      `${valid}expand:\n  model: { baseUrl: "localhost:8000" }\n`,
      [/^11: expand\.model\.baseUrl: .*http:\/\/.*"localhost:8000"/],
    ],
    [
      "a gain that no test can see",
      `${valid}verdict: { expectedGain: 0.3, discordance: 0.2 }\n`,
      [/^10: verdict\.expectedGain: .*0\.2/],
    ],
    [
      "a margin as large as the gain",
      `${valid}verdict:\n  margin: 0.1\n`,
      [/^11: verdict\.margin: .*below expectedGain/],
    ],
    [
      "an unknown strategy",
      `${valid}expand:\n  strategies:\n    recombin: {}\n`,
      [/^12: expand\.strategies\.recombin: .*"recombine"/],
    ],
    [
      "wrong options of a strategy, beside another problem",
      `${valid.replace("description: x\n", "")}expand:\n  strategies:\n    recombine:\n      cuont: 3\n   ` +
        `   phrasings: { glad: [hello] }\n`,
      [/^\d+: description: missing/, /^12: expand\.strategies\.recombine\.cuont: .*"count"/],
    ],
    [
      "phrasings of a label that is none, and a slot that is none",
      `${valid}expand:\n  strategies:\n    recombine:\n      slots: { item: [tea] }\n      phrasings:\n   ` +
        `     gald: [hello]\n        sad:\n          - "no {itme} left"\n`,
      [
        /^15: expand\.strategies\.recombine\.phrasings\.gald: .*"glad"/,
        /^17: expand\.strategies\.recombine\.phrasings\.sad\[0\]: \{itme\} is not a slot.*item/,
      ],
    ],
  ])("with %s: each problem with its line, and nothing else", (_name, text, expected) => {
    const found = problems(text)
    expect(found).toHaveLength(expected.length)
    for (const [index, pattern] of expected.entries()) expect(found[index]).toMatch(pattern)
  })

  it("whose JSON schema or tool does not compile says so", () => {
    const json = "task: t\nkind: json\ndescription: x\ninput: { text: {} }\noutput:\n  schema: { type: objekt }\n"
    expect(problems(json)).toEqual([
      expect.stringMatching(/^6: output\.schema\.type: not a valid JSON Schema: got "objekt"; allowed: .*object/),
    ])
    const chat =
      "task: t\nkind: chat\ndescription: x\noutput:\n  tools:\n    - name: a\n    - name: b\n      " +
      "parameters: { type: objekt }\n"
    expect(problems(chat)).toEqual([
      expect.stringMatching(/^8: output\.tools\[1\]\.parameters\.type: not a valid JSON Schema/),
    ])
  })

  it("whose JSON schema has words that nobody knows names each with its line, and not what is called like them", () => {
    const json = `task: t
kind: json
description: x
input: { text: {} }
output:
  schema:
    type: object
    propertys: {}
    x-owner: us
    properties:
      propertys: { type: string, formatt: date }
      day: { type: string, format: dat }
      all: { anyOf: [{ type: string, format: date }, { minimun: 1 }] }
    $defs: { part: { items: { requird: [a] } } }
`
    expect(problems(json)).toEqual([
      expect.stringMatching(/^8: output\.schema\.propertys: unknown keyword .*did you mean "properties"/),
      expect.stringMatching(/^11: output\.schema\.properties\.propertys\.formatt: .*did you mean "format"/),
      expect.stringMatching(/^12: output\.schema\.properties\.day\.format: unknown format "dat"; did you mean "date"/),
      expect.stringMatching(/^13: output\.schema\.properties\.all\.anyOf\[1\]\.minimun: /),
      expect.stringMatching(/^14: output\.schema\.\$defs\.part\.items\.requird: /),
    ])
  })

  it("whose tools have names that providers refuse, or the same name twice, says so", () => {
    const long = "a".repeat(65)
    const tools = ["get price", "ok-1", long, "ok-1"].map((name) => `    - name: ${name}\n`)
    const chat = `task: t\nkind: chat\ndescription: x\noutput:\n  tools:\n${tools.join("")}`
    expect(problems(chat)).toEqual([
      expect.stringMatching(/^6: output\.tools\[0\]\.name: got "get price"; allowed: letters/),
      expect.stringMatching(/^8: output\.tools\[2\]\.name/),
      expect.stringMatching(/^9: output\.tools\[3\]\.name: .*already/),
    ])
  })

  it("of several labels takes no comma in a label: it stands between labels", () => {
    const several = valid.replace("kind: label", "kind: multilabel").replace("sad:", '"sad, lonely":')
    expect(problems(several)).toEqual([expect.stringMatching(/^7: output\.labels: .*comma/)])
    expect(problems(several.replace("kind: multilabel", "kind: label"))).toEqual([])
  })
})

describe("a specification whose editor writes é as two characters", () => {
  const decomposed = `task: mood
kind: label
description: x
input: { text: {} }
output:
  labels: { "cafe\u0301": "a place", the\u0301: "a drink" }
  outOfScope: "the\u0301"
expand: { strategies: { recombine: { phrasings: { caf\u00e9: [hello] } } } }
`
  const task = parseYaml(taskSchema, decomposed, "specs/mood.yaml", "hint")

  it("has the labels that data and answers have", () => {
    expect(problems(decomposed)).toEqual([])
    expect(labelsOf(task)).toEqual(["caf\u00e9", "th\u00e9"])
    expect(outputIssues(task, "caf\u00e9")).toEqual([])
    expect(parseOutput(task, "cafe\u0301")).toBe("caf\u00e9")
    const json = parseYaml(
      taskSchema,
      "task: t\nkind: json\ndescription: x\ninput: { text: {} }\noutput: { schema: { properties: { where: " +
        '{ enum: ["cafe\u0301"] } } } }\n',
      "specs/t.yaml",
      "hint",
    )
    for (const answer of ['{"where": "caf\u00e9"}', '{"where": "cafe\\u0301"}'])
      expect(parseOutput(json, answer)).toEqual({ where: "caf\u00e9" })
  })

  it("cannot have a label twice, once in each way, nor once as a number", () => {
    const both = valid
      .replace("glad: good mood", '"cafe\u0301": one\n    caf\u00e9: another')
      .replace("sad: bad mood", '1: one\n    "1": another')
    expect(problems(both)).toEqual([
      expect.stringMatching(/^9: output\.labels\.caf\u00e9: the same key as in line 8/),
      expect.stringMatching(/^11: output\.labels\.1: the same key as in line 10/),
    ])
  })
})

describe("a file that is no specification", () => {
  it.each([
    ["an alias without an anchor", "description: x\ntask: *mood\n", /^2: .*quote a text/],
    ["a key twice", "task: a\ntask: b\n", /^2: /],
    ["a tab as indentation", "input:\n\ttext: {}\n", /^2: /],
    [
      "two documents",
      `${valid}---\ntask: other\n`,
      /^10: undefined: a second YAML document begins here.*a file of its own/,
    ],
    ["a document closed like front matter", `---\n${valid}---\n`, /^11: undefined: a second YAML document/],
    ["an alias within what it stands for", "task: a\nkind: &x [*x]\n", /^2: kind: holds itself/],
    ["a number beyond all", "task: a\nexpand: { count: [1e999] }\n", /^2: expand\.count\[0\]: got Infinity/],
    ["lists within lists", `task: a\nkind: ${"[".repeat(1200)}${"]".repeat(1200)}\n`, /more than 1000 deep/],
    ["lists that the parser cannot hold", `a: ${"[".repeat(90_000)}`, /more than 1000 deep/],
    ["a list", "- task\n", /expected an object/],
    ["nothing", "", /expected an object/],
  ])("%s", (_name, text, expected) => {
    expect(problems(text)).toEqual([expect.stringMatching(expected)])
  })
})

it("hosts that examples may not go to come with the other problems of a specification, each at its address", () => {
  const task = taskSchema.parse({
    task: "mood",
    kind: "label",
    description: "x",
    input: { text: {} },
    output: { labels: { glad: "good mood", sad: "bad mood" } },
    expand: { model: { baseUrl: "https://models.example/v1" } },
    build: { semantic: { model: "e", baseUrl: "http://[::1]:8080/v1" } },
    verdict: { metric: "acuracy" },
  })
  const issues = (allowedHosts?: string[]) =>
    taskIssues(task, { ...plugins, allowedHosts }).map(({ path, message }) => `${path.join(".")}: ${message}`)
  expect(issues(["127.0.0.1"])).toEqual([
    expect.stringMatching(
      /^expand\.model\.baseUrl: examples may not be sent to models\.example; allowed: 127\.0\.0\.1/,
    ),
    expect.stringMatching(/^build\.semantic\.baseUrl: examples may not be sent to ::1;/),
    expect.stringMatching(/^verdict\.metric: /),
  ])
  expect(issues(["models.example", "::1"])).toHaveLength(1)
  expect(issues()).toHaveLength(1)
})

it("a file of ten thousand aliases is refused at once, one of a few is read", () => {
  const aliases = (times: number) => Array.from({ length: times }, () => "*d").join(", ")
  const spec = (times: number) =>
    `task: t\nkind: text\ndescription: &d hello\ninput: { text: {} }\nguideline: *d\nx: [${aliases(times)}]\n`
  const read = (times: number) => () => parseYaml(taskSchema, spec(times), "t.yaml", "")
  const start = performance.now()
  expect(read(10_000)).toThrow(/10001 aliases \(\*\); at most 1000/)
  expect(performance.now() - start).toBeLessThan(2000)
  expect(read(20)).toThrow(/x: unknown key/)
})
