import { InvalidArgumentError } from "commander"

/** An amount of US dollars that a person typed. */
export function dollars(text: string): number {
  const number = Number(text)
  if (text.trim() === "" || !Number.isFinite(number) || number < 0)
    throw new InvalidArgumentError("must be a number of US dollars, 0 or more")
  return number
}

/** A count that a person typed. */
export function positive(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("must be a whole number, at least 1")
  return number
}

/** Hours that a person typed. */
export function hours(text: string): number {
  const number = Number(text)
  if (text.trim() === "" || !Number.isFinite(number) || number <= 0 || number > mostHours)
    throw new InvalidArgumentError(`must be a number of hours, more than 0 and at most ${mostHours}`)
  return number
}
const mostHours = 24 * 31
