/** What commander says of a wrong value, as we say it: the option or argument, what it got, what it may be. */
export function plainUsage(message: string): string {
  return message
    .replace(/option '(.+?)' argument '(.*?)' is invalid\.\s*/s, "$1 got '$2'; ")
    .replace(/command-argument value '(.*?)' is invalid for argument '(.+?)'\.\s*/s, "<$2> got '$1'; ")
    .replace(/; must be /, "; it must be ")
    .replace(/; Allowed choices are (.*)\./s, "; allowed: $1")
}
