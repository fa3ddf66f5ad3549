import { agreementOf } from "../../curation/rows/output-agreement.ts"
import type { Candidate, CandidateCheck, Seed } from "../../core/rows/example.ts"
import { judgingPrompt, readJudgement } from "../../core/growing/judging.ts"
import { labellingPrompt, readLabel } from "../../core/growing/labelling.ts"
import { formatOutput } from "../../core/task/output.ts"
import { show } from "../../core/parse.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { Ask } from "./asked-prompt.ts"

type SecondPass = NonNullable<TaskSpecification["expand"]["checks"]["secondPass"]>

/** How the second pass is made: as the specification says, or in the usual way where the strategy needs one. */
export function secondPassOf(task: TaskSpecification, isNeeded: boolean): SecondPass | undefined {
  return task.expand.checks.secondPass ?? (isNeeded ? { minimum: 0, shots: 8, shotTokens: 1500 } : undefined)
}

/**
 * The candidates with what a second labelling pass and a judge say of them, where the task wants it: a check each, and
 * the confidence, which is the lower of both.
 */
export async function withSecondOpinions(
  task: TaskSpecification,
  candidates: readonly Candidate[],
  {
    seeds,
    secondPass,
    ask,
  }: { readonly seeds: readonly Seed[]; readonly secondPass: SecondPass | undefined; readonly ask: Ask },
): Promise<Candidate[]> {
  const labelled = secondPass === undefined ? candidates : await relabelled(task, candidates, seeds, secondPass, ask)
  const { judge } = task.expand.checks
  return judge === undefined ? [...labelled] : judged(task, labelled, judge, ask)
}

async function relabelled(
  task: TaskSpecification,
  candidates: readonly Candidate[],
  seeds: readonly Seed[],
  settings: SecondPass,
  ask: Ask,
): Promise<Candidate[]> {
  const prompts = candidates.map((candidate) => labellingPrompt(task, candidate, seeds, { ...settings, pass: 2 }))
  const answers = await ask(prompts, settings.model)
  return candidates.map((candidate, index) => {
    const output = readLabel(task, answers[index]?.text ?? "")
    const value = output === undefined ? 0 : Number(agreementOf(task, candidate.output, output).toFixed(4))
    const detail =
      output === undefined
        ? "the second pass gave no output of the task"
        : value === 1
          ? undefined
          : `the second pass gave ${show(formatOutput(task, output))}`
    return withCheck(candidate, {
      name: "second-pass",
      ok: value >= settings.minimum,
      value,
      ...(detail === undefined ? {} : { detail }),
    })
  })
}

async function judged(
  task: TaskSpecification,
  candidates: readonly Candidate[],
  settings: NonNullable<TaskSpecification["expand"]["checks"]["judge"]>,
  ask: Ask,
): Promise<Candidate[]> {
  const answers = await ask(
    candidates.map((candidate) => judgingPrompt(task, candidate, settings.rubric)),
    settings.model,
  )
  return candidates.map((candidate, index) => {
    const judgement = readJudgement(answers[index]?.text ?? "")
    // What nobody could judge is for people to judge.
    if (judgement === undefined)
      return withCheck(candidate, { name: "judge", ok: true, detail: "the judge's answer could not be read" })
    return withCheck(candidate, {
      name: "judge",
      ok: judgement.score >= settings.minimum,
      value: judgement.score,
      detail: judgement.reason,
    })
  })
}

function withCheck(candidate: Candidate, check: CandidateCheck): Candidate {
  const confidence = check.value === undefined ? candidate.confidence : Math.min(candidate.confidence ?? 1, check.value)
  return { ...candidate, checks: [...candidate.checks, check], ...(confidence === undefined ? {} : { confidence }) }
}
