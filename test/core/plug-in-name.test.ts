import { describe, expect, it } from "vitest"
import { optionsIn, plugInName } from "../../src/core/plug-in-name.ts"

describe("a plug-in is named", () => {
  it.each([
    ["bleu", { name: "bleu", argument: undefined }],
    ["bleu:tokenize=intl", { name: "bleu", argument: "tokenize=intl" }],
    ["endpoint:a:b", { name: "endpoint", argument: "a:b" }],
    ["recorded:", { name: "recorded", argument: "" }],
  ])("as in %s", (written, expected) => {
    expect(plugInName(written)).toEqual(expected)
  })

  it("with options that are numbers, yes or no, or texts", () => {
    expect(optionsIn("order=4, beta=-0.5,lowercase=true,tokenize=intl,name=a=b,version=1e3")).toEqual({
      options: { order: 4, beta: -0.5, lowercase: true, tokenize: "intl", name: "a=b", version: "1e3" },
      problems: [],
    })
    expect(optionsIn(undefined)).toEqual({ options: {}, problems: [] })
  })

  it("and what is no option is said", () => {
    expect(optionsIn("lowercase").problems).toEqual(['got "lowercase"; options are written name:key=value,key=value'])
    expect(optionsIn("").problems).toHaveLength(1)
    expect(optionsIn("a=1,a=2").problems).toEqual(["the option a stands there twice"])
    expect(optionsIn("__proto__=1")).toEqual({ options: JSON.parse('{"__proto__":1}'), problems: [] })
  })
})
