import { join } from "node:path"
import { Ajv, type ValidateFunction } from "ajv"
import { createGenerator, type Definition } from "ts-json-schema-generator"
import { packageRoot } from "../../../src/cli/version.ts"
import type { Exchange } from "./recorded-fetch.ts"

interface Checked {
  /** The names of the types, as the package has them. */
  readonly types: readonly [asks: string, gets: string]
  readonly asks: ValidateFunction
  readonly gets: ValidateFunction
}

type Definitions = Readonly<Record<string, Definition>>

/**
 * The calls of `wire-types.ts` with schemas derived now from the types of the installed `openai` package. What is sent
 * may have no field that the types do not know. What is got may: services add fields.
 */
export class WireSchemas {
  readonly calls: ReadonlyMap<string, Checked>
  readonly #refusal: ValidateFunction

  constructor() {
    const definitions = derivedTypes()
    const open = withUnknownFields(definitions) as Definitions
    const body = new Ajv({ strict: false, allErrors: true })
    // In a query everything is text.
    const query = new Ajv({ strict: false, coerceTypes: true })
    const got = new Ajv({ strict: false, allErrors: true })
    const wire = definitions["Wire"]?.properties as Readonly<Record<string, Definition>>
    this.calls = new Map(
      Object.entries(wire).map(([call, { properties }]) => {
        const { asks, gets } = properties as Readonly<Record<"asks" | "gets", Definition>>
        return [
          call,
          {
            types: [nameOf(asks), nameOf(gets)],
            asks: (call.startsWith("GET ") ? query : body).compile({ ...asks, definitions }),
            gets: got.compile({ ...gets, definitions: open }),
          },
        ]
      }),
    )
    this.#refusal = got.compile({ $ref: "#/definitions/Refusal", definitions: open })
  }

  /** What an exchange has against the types; empty where it fits. */
  faults({ call, status, asked, got }: Exchange): string[] {
    const checked = this.calls.get(call)
    if (checked === undefined) return [`${call}: no type is known for it`]
    return [
      ...faultsOf(`${call} asks with ${checked.types[0]}`, checked.asks, asked),
      ...(status < 300
        ? faultsOf(`${call} gets ${checked.types[1]}`, checked.gets, got)
        : faultsOf(`${call} gets a refusal`, this.#refusal, got)),
    ]
  }
}

function derivedTypes(): Definitions {
  const generator = createGenerator({
    path: join(import.meta.dirname, "wire-types.ts"),
    tsconfig: join(packageRoot, "tsconfig.json"),
    // The compiler that it brings is older than the repository's, which checks the types.
    skipTypeCheck: true,
    expose: "all",
    jsDoc: "none",
    additionalProperties: false,
  })
  return generator.createSchema("*").definitions as Definitions
}

function withUnknownFields(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withUnknownFields)
  if (typeof schema !== "object" || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]) =>
      key === "additionalProperties" && value === false ? [] : [[key, withUnknownFields(value)]],
    ),
  )
}

function nameOf({ $ref }: Definition): string {
  return decodeURIComponent($ref ?? "").replace("#/definitions/", "")
}

function faultsOf(what: string, validate: ValidateFunction, value: unknown): string[] {
  if (validate(structuredClone(value))) return []
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${what}: ${instancePath || "it"} ${message} ${JSON.stringify(params)}`,
  )
}
