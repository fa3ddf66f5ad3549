import { existsSync } from "node:fs"
import { join } from "node:path"
import { loadContenders, loadMetrics } from "../../../src/cli/plugins.ts"
import type { FineTuneBackend } from "../../../src/core/contracts/backend.ts"
import type { TaskSpecification } from "../../../src/core/task/task.ts"
import type { JobSpecification } from "../../../src/core/training/job.ts"
import type { EvaluationRequest } from "../../../src/stages/evaluating/evaluation-plan.ts"
import { toJsonLines, writeAtomically } from "../../../src/store/files/files.ts"
import { linesOf } from "../../command-line.ts"

/**
 * Trains at once and answers everything with one label: what a stage makes of the answers is what is tested. `asked`
 * has the ids by what was asked; a file that is complete is not asked again.
 */
export function quickBackend(asked: Map<string, string[]>, changes: Partial<FineTuneBackend> = {}): FineTuneBackend {
  return {
    name: "quick",
    kind: "runner",
    capabilities: () => ({ objectives: ["sft"], methods: ["lora"], asOf: "2026-11-24", source: "this test" }),
    check: async () => [],
    estimate: async () => ({ figures: [] }),
    submit: async (_, files, { submissionKey }) => {
      writeAtomically(join(files.adapter, "adapter_model.safetensors"), "weights")
      return { backend: "quick", id: "1", submissionKey }
    },
    find: async () => undefined,
    poll: async () => ({ state: "succeeded", events: [], cursor: "1" }),
    cancel: async () => undefined,
    generate: async ({ jobs }) => {
      for (const { name, rows, predictions } of jobs) {
        const ids = linesOf<{ id: string }>(rows).map(({ id }) => id)
        if (
          existsSync(predictions) &&
          linesOf<{ id: string }>(predictions)
            .map(({ id }) => id)
            .join() === ids.join()
        )
          continue
        asked.set(name, ids)
        const finish = "stop"
        writeAtomically(
          predictions,
          toJsonLines(
            ids.map((id) => ({ id, output: "delivery", latencyMs: 1, inputTokens: 9, outputTokens: 1, finish })),
          ),
        )
      }
    },
    ...changes,
  }
}

/** The evaluation of the run that the job asks for. */
export async function requestOf(
  specification: TaskSpecification,
  job: JobSpecification,
  run: string,
  backend: FineTuneBackend,
): Promise<EvaluationRequest> {
  const contenders = await loadContenders(["tuned", ...job.evaluation.contenders], job.evaluation)
  const metrics = await loadMetrics(specification)
  return { task: specification, job, run, backend, contenders, metrics, machine: "a machine" }
}
