import { agreementOf } from "../../curation/rows/output-agreement.ts"
import type { PlannedPrompt } from "../../core/contracts/strategy.ts"
import type { Candidate, CandidateCheck, Output, Seed } from "../../core/rows/example.ts"
import { type Judgement, judgingPrompt, readJudgement } from "../../core/growing/judging.ts"
import { labellingPrompt, readLabel } from "../../core/growing/labelling.ts"
import { formatOutput } from "../../core/task/output.ts"
import { show } from "../../core/parse.ts"
import type { TaskSpecification } from "../../core/task/task.ts"
import type { Ask } from "./asked-prompt.ts"
import { askUntilRead, type Read } from "./ask-until-read.ts"

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
  const prompts = candidates.map((candidate) =>
    showing(candidate, labellingPrompt(task, candidate, seeds, { ...settings, pass: 2 })),
  )
  const askAgain = (asked: readonly PlannedPrompt[]) => ask(asked, settings.model)
  const read = await askUntilRead(await askAgain(prompts), askAgain, ({ text }): Read<Output> => {
    const output = readLabel(task, text)
    return output === undefined ? { problem: "it is no output of the task" } : { value: output }
  })
  return candidates.map((candidate, index) => {
    const found = read[index]?.read ?? nothing
    if ("problem" in found) return withCheck(candidate, unread("second-pass", "the second pass", found))
    const value = Number(agreementOf(task, candidate.output, found.value).toFixed(4))
    const detail = value === 1 ? {} : { detail: `the second pass gave ${show(formatOutput(task, found.value))}` }
    return withCheck(candidate, { name: "second-pass", ok: value >= settings.minimum, value, ...detail })
  })
}

async function judged(
  task: TaskSpecification,
  candidates: readonly Candidate[],
  settings: NonNullable<TaskSpecification["expand"]["checks"]["judge"]>,
  ask: Ask,
): Promise<Candidate[]> {
  const askJudge = (asked: readonly PlannedPrompt[]) => ask(asked, settings.model)
  const prompts = candidates.map((candidate) => showing(candidate, judgingPrompt(task, candidate, settings.rubric)))
  const read = await askUntilRead(await askJudge(prompts), askJudge, ({ text }): Read<Judgement> => {
    const judgement = readJudgement(text)
    return judgement === undefined ? { problem: "it holds no score from 1 to 5" } : { value: judgement }
  })
  return candidates.map((candidate, index) => {
    const found = read[index]?.read ?? nothing
    if ("problem" in found) return withCheck(candidate, unread("judge", "the judge", found))
    const { score, reason } = found.value
    return withCheck(candidate, { name: "judge", ok: score >= settings.minimum, value: score, detail: reason })
  })
}

/** The prompt shows the candidate, which goes with what it was grown from. */
function showing({ id, parents }: Candidate, prompt: PlannedPrompt): PlannedPrompt {
  return { ...prompt, parents: [...prompt.parents, id, ...parents] }
}

const nothing = { problem: "it is not there" }

/** What nobody could say is no yes: the candidate fails, and the reason says that it was not judged. */
function unread(name: string, who: string, { problem }: { readonly problem: string }): CandidateCheck {
  return { name, ok: false, detail: `no answer of ${who} could be read: ${problem}` }
}

/** Whether a model was asked about the candidate and gave no answer that could be read. */
export function lacksOpinion({ checks }: Candidate): boolean {
  return checks.some(({ name, value }) => (name === "judge" || name === "second-pass") && value === undefined)
}

function withCheck(candidate: Candidate, check: CandidateCheck): Candidate {
  const confidence = check.value === undefined ? candidate.confidence : Math.min(candidate.confidence ?? 1, check.value)
  return { ...candidate, checks: [...candidate.checks, check], ...(confidence === undefined ? {} : { confidence }) }
}
