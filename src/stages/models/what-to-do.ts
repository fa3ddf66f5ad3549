import type { Sunset } from "../../core/asking/sunsets.ts"
import type { ModelInUse, ModelUse } from "./models-in-use.ts"

/** Something of a model that ends within the time of warnings, or has ended, and what whoever uses it can do. */
export interface ModelEnding {
  readonly model: string
  readonly sunset: Sunset
  readonly usedBy: readonly ModelUse[]
  /** In words: `ends on 2027-01-14: 45 days left`. */
  readonly when: string
  readonly todo: readonly string[]
}

/** What ends soon or is over of the models, each with what is to be done. */
export function endingsOf(models: readonly ModelInUse[]): ModelEnding[] {
  return models.flatMap((used) =>
    used.sunsets.flatMap((sunset): ModelEnding[] => {
      const usedBy = used.usedBy.filter(({ kind }) => sunset.what === "serving" || kind === "job")
      if (sunset.state === "later" || usedBy.length === 0) return []
      return [{ model: used.model, sunset, usedBy, when: whenOf(sunset), todo: whatToDo(used, sunset, usedBy) }]
    }),
  )
}

/** When the thing ends, in words. */
function whenOf({ what, retires, daysLeft }: Pick<Sunset, "what" | "retires" | "daysLeft">): string {
  if (daysLeft < 0)
    return what === "serving" ? `has not answered since ${retires}` : `has taken no more training jobs since ${retires}`
  const left = daysLeft === 0 ? "today" : daysLeft === 1 ? "1 day left" : `${daysLeft} days left`
  return what === "serving" ? `answers until ${retires}: ${left}` : `takes training jobs until ${retires}: ${left}`
}

function whatToDo({ model, host }: ModelInUse, sunset: Sunset, usedBy: readonly ModelUse[]): string[] {
  const instead = sunset.instead === undefined ? "" : ` (named instead: ${sunset.instead})`
  const advice = usedBy.map(({ kind, name, task, as }) => {
    if (kind === "specification") return `name another model in specs/${name}.yaml: ${as}${instead}`
    if (kind === "job")
      return sunset.state === "over" || sunset.what === "serving"
        ? `name another baseModel or backend in jobs/${name}.yaml${instead}`
        : `train jobs/${name}.yaml before, or name another backend in it${instead}`
    if (sunset.state === "over")
      return `${name} cannot be asked any more; compare with its recorded answers, if there are`
    return as === "tuned model"
      ? `keep its answers: tuneloop models record ${model} --task ${task} --as NAME${serverOf(host)}`
      : `move ${name} to another base${instead}`
  })
  return [...new Set(advice)]
}

/** A server that is not OpenAI's has to be named, with its key. */
function serverOf(host: string | undefined): string {
  return host === undefined || host === "api.openai.com"
    ? ""
    : ` --base-url ADDRESS --api-key-env VARIABLE (those of ${host})`
}
