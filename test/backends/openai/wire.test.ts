import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { OpenAiJobs } from "../../../src/backends/hosted/openai-jobs.ts"
import { profiles } from "../../../src/backends/hosted/profiles.ts"
import { HostedWire } from "../../../src/backends/hosted/wire.ts"
import openAiCompatible from "../../../src/backends/openai-compatible.ts"
import { packageRoot } from "../../../src/cli/version.ts"
import openAiModel from "../../../src/models/openai.ts"
import { makeFolder } from "../../../src/store/files/files.ts"
import { runFiles } from "../../../src/store/rows/run-files.ts"
import { Workspace } from "../../../src/store/workspace.ts"
import { backendContext } from "../../stages/training/workspace.ts"
import { hostedPlan } from "../hosted-plan.ts"
import { OpenAiServer } from "../openai-server.ts"
import { type Exchange, recordedFetch } from "./recorded-fetch.ts"
import { WireSchemas } from "./wire-schemas.ts"

const exchanges: Exchange[] = []
let server: OpenAiServer
let schemas: WireSchemas
beforeAll(async () => {
  server = await OpenAiServer.start()
  schemas = new WireSchemas()
  await wholeLife()
  await otherCalls()
})
afterAll(() => server.close())

function context() {
  const fetch = recordedFetch(server.url, exchanges)
  return { ...backendContext({ OPENAI_API_KEY: server.key }), fetch }
}

/** A job from its files to the answer of its model, and one on preferences that is cancelled. */
async function wholeLife(): Promise<void> {
  const files = runFiles(Workspace.open(mkdtempSync(join(tmpdir(), "tuneloop-types-"))), "run-1")
  makeFolder(join(files.folder, "rendered"))
  for (const file of [files.train, files.validation]) writeFileSync(file, '{"messages": []}\n')
  const options = { profile: "openai", baseUrl: server.url, settleSeconds: 0 }
  const backend = openAiCompatible.create(context(), openAiCompatible.options.parse(options))
  const [plan, submission] = [hostedPlan(server.models[0] ?? ""), { submissionKey: "key-1", resume: false }]
  await backend.refusals?.(plan)
  const job = await backend.submit(plan, files, submission)
  server.step()
  await backend.pause?.(job, files)
  await backend.resume?.(job, files)
  const { cursor } = await backend.poll(job, files)
  server.newest.checkpoints.push({
    ...{ id: "ftckpt-1", step_number: 1, fine_tuned_model_checkpoint: "ft:mood:ckpt-step-1" },
    metrics: { step: 1, full_valid_loss: 0.5 },
  })
  server.newest.result_files.push(server.store.keep("metrics.csv", Buffer.from("step\n1\n"), "fine-tune-results"))
  server.succeed()
  await backend.poll(job, files, cursor)
  await backend.logs?.(job, files)
  await backend.fetch?.(job, files)
  await backend.find("key-1", files)
  for await (const there of backend.history?.() ?? []) expect(there.id).toBe(job.id)
  const chat = openAiModel.create(
    { OPENAI_API_KEY: server.key },
    {
      ...{ baseUrl: server.url, fetch: context().fetch, readText: () => "" },
    },
  )
  const messages = [{ role: "user" as const, content: "How are you?" }]
  const settings = { temperature: 0, maxTokens: 10, seed: 1, schema: { type: "object" } }
  const asked = { provider: "openai", baseUrl: server.url, model: server.newest.fine_tuned_model ?? "", messages }
  await chat.ask({ ...asked, ...settings }, new AbortController().signal)
  const answer = (content: string) => [{ role: "assistant", content }]
  const preference = { input: { messages }, preferred_output: answer("good"), non_preferred_output: answer("bad") }
  for (const file of [files.train, files.validation]) writeFileSync(file, `${JSON.stringify(preference)}\n`)
  const choosing = hostedPlan(server.models[0] ?? "", { beta: 0.2 }, "dpo")
  const other = await backend.submit(choosing, files, { ...submission, submissionKey: "key-2" })
  await backend.cancel(other, files)
  await backend.cancel(other, files)
  server.end(server.newest, "failed", "the moderation said no")
  await backend.poll(other, files)
}

/** What no job needs: a large file, the list of files, a deletion. */
async function otherCalls(): Promise<void> {
  const service = { name: "openai", baseUrl: server.url, apiKeyEnv: "OPENAI_API_KEY", messageOf: () => undefined }
  const { openai } = profiles({ packageRoot })
  if (openai === undefined) throw new Error("there is no profile openai")
  const jobs = new OpenAiJobs(new HostedWire(context(), service), {
    ...{ backend: "openai-compatible", profile: { ...openai, uploadInPartsAbove: 10 }, extra: {} },
    ...{ settleMs: 0, pollAfterMs: 1 },
  })
  const large = join(mkdtempSync(join(tmpdir(), "tuneloop-types-")), "large.jsonl")
  writeFileSync(large, '{"messages": []}\n')
  const { id } = await jobs.upload(large)
  for await (const file of jobs.files()) expect(file.id).toMatch(/./)
  await jobs.deleteFile(id)
}

/** Where the backend and OpenAI's types disagree, OpenAI would refuse a request, or an answer would be misread. */
describe("the wire of openai-compatible, by the types of the openai package", () => {
  it("sends and reads nothing that the types do not have", () => {
    expect(exchanges.flatMap((exchange) => schemas.faults(exchange))).toEqual([])
  })

  it("is tried with both objectives", () => {
    const created = exchanges.filter(({ call }) => call === "POST /fine_tuning/jobs")
    expect(created.map(({ asked }) => (asked["method"] as { type: string }).type)).toEqual(["supervised", "dpo"])
  })

  it("is checked at every path that the backend knows", () => {
    const called = new Set(exchanges.map(({ call }) => call))
    expect([...schemas.calls.keys()].filter((call) => !called.has(call))).toEqual([])
    const paths = new Set([...called].map((call) => call.split(" ")[1]))
    expect(pathsInTheSource().filter((path) => !paths.has(path))).toEqual([])
  })

  it("has these types", () => {
    expect(Object.fromEntries([...schemas.calls].map(([call, { types }]) => [call, types.join(" -> ")]))).toEqual({
      "POST /files": "FileForm -> FileObject",
      "GET /files": "FileListParams -> CursorPageResponse<FileObject>",
      "GET /files/{id}": "Nothing -> FileObject",
      "GET /files/{id}/content": "Nothing -> Content",
      "DELETE /files/{id}": "Nothing -> FileDeleted",
      "POST /uploads": "UploadCreateParams -> Upload",
      "POST /uploads/{id}/parts": "PartForm -> UploadPart",
      "POST /uploads/{id}/complete": "UploadCompleteParams -> Upload",
      "POST /fine_tuning/jobs": "JobCreateParams -> FineTuningJob",
      "GET /fine_tuning/jobs": "JobListParams -> CursorPageResponse<FineTuningJob>",
      "GET /fine_tuning/jobs/{id}": "Nothing -> FineTuningJob",
      "GET /fine_tuning/jobs/{id}/events": "JobListEventsParams -> CursorPageResponse<FineTuningJobEvent>",
      "GET /fine_tuning/jobs/{id}/checkpoints": "CheckpointListParams -> CursorPageResponse<FineTuningJobCheckpoint>",
      "POST /fine_tuning/jobs/{id}/cancel": "Nothing -> FineTuningJob",
      "POST /fine_tuning/jobs/{id}/pause": "Nothing -> PausedJob",
      "POST /fine_tuning/jobs/{id}/resume": "Nothing -> FineTuningJob",
      "GET /models/{id}": "Nothing -> Model",
      "POST /chat/completions": "ChatCompletionCreateParamsNonStreaming -> ChatCompletion",
    })
  })

  it("is reported where it differs", () => {
    const create = exchanges.find(({ call }) => call === "POST /fine_tuning/jobs") as Exchange
    expect(schemas.faults({ ...create, asked: { ...create.asked, n_epochs: 3 } })).toEqual([
      "POST /fine_tuning/jobs asks with JobCreateParams: it must NOT have additional properties " +
        '{"additionalProperty":"n_epochs"}',
    ])
    const { seed: _seed, ...seedless } = create.got as Record<string, unknown>
    expect(schemas.faults({ ...create, got: seedless })).toEqual([
      `POST /fine_tuning/jobs gets FineTuningJob: it must have required property 'seed' {"missingProperty":"seed"}`,
    ])
    expect(schemas.faults({ ...create, call: "POST /evals" })).toEqual(["POST /evals: no type is known for it"])
  })
})

/** The paths that stand in the backend's code, `{id}` for what is filled in. */
function pathsInTheSource(): string[] {
  const folder = join(packageRoot, "src", "backends", "hosted")
  const text = readdirSync(folder)
    .filter((name) => name.startsWith("openai-"))
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("")
  const literals = text.match(/(?<=["`])\/[a-z][^"`?]*/g) ?? []
  return [...new Set(literals.map((path) => path.replace(/\$\{[^}]*\}/g, "{id}")))]
}
