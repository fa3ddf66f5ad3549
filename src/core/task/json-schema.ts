import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js"
import addFormats from "ajv-formats"

// A compiled schema is a pure function of the schema's object: the cache only saves time.
const validators = new WeakMap<object, ValidateFunction>()

/** The compiled validator of a JSON Schema (2020-12); throws when the schema itself is invalid. */
export function validatorOf(schema: Record<string, unknown>): ValidateFunction {
  let validate = validators.get(schema)
  if (!validate) {
    const ajv = new Ajv2020({ allErrors: true, strict: false })
    addFormats.default(ajv)
    validate = ajv.compile(schema)
    validators.set(schema, validate)
  }
  return validate
}
