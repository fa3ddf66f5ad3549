import OpenAI, { toFile } from "openai"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { OpenAiServer } from "../openai-server.ts"

const rows = '{"messages": []}\n'
let server: OpenAiServer
let client: OpenAI
beforeEach(async () => {
  server = await OpenAiServer.start()
  client = new OpenAI({ apiKey: server.key, baseURL: server.url, maxRetries: 0 })
})
afterEach(() => server.close())

const uploaded = async (name = "train.jsonl") =>
  (await client.files.create({ file: await toFile(Buffer.from(rows), name), purpose: "fine-tune" })).id

/** A job that OpenAI's client asked for. */
const created = async (given: Partial<OpenAI.FineTuning.JobCreateParams> = {}) =>
  client.fineTuning.jobs.create({ model: server.models[0] ?? "", training_file: await uploaded(), ...given })

/** If OpenAI's own client disagrees with the server of the tests, the backend is tested against a wire nobody has. */
describe("OpenAI's client at the server of the tests", () => {
  it("keeps, waits for, lists, downloads and deletes files", async () => {
    server.store.patience = 2
    const id = await uploaded()
    expect(await client.files.retrieve(id)).toMatchObject({ object: "file", status: "uploaded", bytes: rows.length })
    expect(await client.files.waitForProcessing(id, { pollInterval: 1 })).toMatchObject({ status: "processed" })
    for (let n = 2; n <= 5; n++) await uploaded(`train-${n}.jsonl`)
    const named = async (query: OpenAI.FileListParams) =>
      (await Array.fromAsync(client.files.list(query))).map(({ filename }) => filename)
    expect(await named({})).toEqual([5, 4, 3, 2].map((n) => `train-${n}.jsonl`).concat("train.jsonl"))
    expect(await named({ purpose: "vision" })).toEqual([])
    expect(await (await client.files.content(id)).text()).toBe(rows)
    expect(await client.files.delete(id)).toEqual({ id, object: "file", deleted: true })
    await expect(client.files.retrieve(id)).rejects.toThrow(OpenAI.NotFoundError)
  })

  it("uploads in parts, in the order that it names, or not at all", async () => {
    const asked = { filename: "train.jsonl", bytes: rows.length, mime_type: "application/jsonl" }
    const begin = () => client.uploads.create({ ...asked, purpose: "fine-tune" })
    const { id } = await begin()
    const send = (text: string) => client.uploads.parts.create(id, { data: new File([text], "part") })
    const [last, first] = [await send(rows.slice(5)), await send(rows.slice(0, 5))]
    const whole = await client.uploads.complete(id, { part_ids: [first.id, last.id] })
    expect(whole).toMatchObject({
      object: "upload",
      status: "completed",
      file: { object: "file", purpose: "fine-tune" },
    })
    expect(await (await client.files.content(whole.file?.id ?? "")).text()).toBe(rows)
    expect(await client.uploads.cancel((await begin()).id)).toMatchObject({ status: "cancelled" })
    await expect(client.uploads.cancel(id)).rejects.toThrow(OpenAI.BadRequestError)
  })

  it("creates jobs with its settings, and finds them by metadata over all pages", async () => {
    const hyperparameters = { n_epochs: 2, batch_size: 4 }
    const method = { type: "supervised" as const, supervised: { hyperparameters } }
    const job = await created({ method, seed: 7, metadata: { key: "a" }, validation_file: await uploaded("v.jsonl") })
    expect(job).toMatchObject({
      object: "fine_tuning.job",
      status: "validating_files",
      seed: 7,
      method,
      hyperparameters,
    })
    for (let n = 0; n < 4; n++) await created({ metadata: { key: "b" } })
    const listed = async (query: OpenAI.FineTuning.JobListParams) =>
      (await Array.fromAsync(client.fineTuning.jobs.list(query))).map(({ id }) => id)
    expect(await listed({})).toEqual(["ftjob-5", "ftjob-4", "ftjob-3", "ftjob-2", "ftjob-1"])
    expect(await listed({ limit: 1 })).toHaveLength(5)
    expect(await listed({ metadata: { key: "a" } })).toEqual([job.id])
  })

  it("follows a job to its end: events newest first, checkpoints, the model, which answers", async () => {
    const { id } = await created({ suffix: "mood" })
    for (let step = 0; step < 3; step++) server.step()
    server.newest.checkpoints.push({
      ...{ id: "ftckpt-1", step_number: 2, fine_tuned_model_checkpoint: "ft:mood:ckpt-step-2" },
      metrics: { full_valid_loss: 0.5 },
    })
    server.succeed()
    const job = await client.fineTuning.jobs.retrieve(id)
    expect(job).toMatchObject({ status: "succeeded", trained_tokens: 1200, error: null })
    const events = await Array.fromAsync(client.fineTuning.jobs.listEvents(id))
    expect(events.at(0)?.message).toBe("The job has successfully completed")
    expect(events.at(-1)?.message).toBe(`Created fine-tuning job: ${id}`)
    expect(events.flatMap(({ type, data }) => (type === "metrics" ? [(data as { step: number }).step] : []))).toEqual([
      3, 2, 1,
    ])
    const [checkpoint] = (await client.fineTuning.jobs.checkpoints.list(id)).data
    expect(checkpoint).toMatchObject({ fine_tuning_job_id: id, step_number: 2, metrics: { full_valid_loss: 0.5 } })
    const messages = [{ role: "user" as const, content: "How are you?" }]
    const answer = await client.chat.completions.create({ model: job.fine_tuned_model ?? "", messages })
    expect(answer.choices[0]?.message).toMatchObject({ role: "assistant", content: "good" })
  })

  it("cancels a job once, and hears why one failed", async () => {
    const { id } = await created()
    expect(await client.fineTuning.jobs.cancel(id)).toMatchObject({ status: "cancelled" })
    await expect(client.fineTuning.jobs.cancel(id)).rejects.toThrow(OpenAI.BadRequestError)
    const failed = await created()
    server.end(server.newest, "failed", "the moderation said no")
    const { error } = await client.fineTuning.jobs.retrieve(failed.id)
    expect(error).toEqual({ code: "server_error", message: "the moderation said no", param: null })
  })

  it("takes refusals for what they are", async () => {
    const stranger = new OpenAI({ apiKey: "sk-wrong", baseURL: server.url, maxRetries: 0 })
    await expect(stranger.files.list()).rejects.toThrow(OpenAI.AuthenticationError)
    await expect(client.fineTuning.jobs.retrieve("ftjob-none")).rejects.toThrow(OpenAI.NotFoundError)
    await expect(created({ training_file: "file-none" })).rejects.toThrow(OpenAI.BadRequestError)
    const busy = { status: 429, headers: { "retry-after": "1" } }
    server.faults.push({ call: /^GET .*files/, when: "before", answer: busy })
    const refused = await client.files.list().catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(OpenAI.RateLimitError)
    expect((refused as InstanceType<typeof OpenAI.RateLimitError>).headers.get("retry-after")).toBe("1")
    server.faults.push({ call: /^GET .*files/, when: "before", answer: busy })
    const before = performance.now()
    expect((await client.files.list({}, { maxRetries: 1 })).data).toHaveLength(1)
    expect(performance.now() - before).toBeGreaterThanOrEqual(990)
  })

  it("loses the answer to a job that was created all the same", async () => {
    const training_file = await uploaded()
    server.faults.push({ call: /^POST .*jobs$/, when: "after", answer: "cut" })
    await expect(created({ training_file })).rejects.toThrow(OpenAI.APIConnectionError)
    expect((await client.fineTuning.jobs.list()).data).toMatchObject([{ training_file }])
  })
})
