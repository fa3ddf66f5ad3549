import { z } from "zod"
import { modelRefSchema } from "./model-ref.ts"
import { runStates, type RunEventBody, type SentEvent } from "./run.ts"

// An event without a schema here, or with another one, does not compile.
const { planned, ...others } = {
  planned: event("planned", { plan: z.string() }),
  submitting: event("submitting", {
    submissionKey: z.string(),
    attempt: z.number(),
    estimateUsd: z.number().optional(),
  }),
  estimated: event("estimated", { submissionKey: z.string(), estimateUsd: z.number() }),
  submitted: event("submitted", {
    job: z.looseObject({
      backend: z.string(),
      id: z.string(),
      submissionKey: z.string(),
      details: z.record(z.string(), z.string()).optional(),
    }),
  }),
  "state-changed": event("state-changed", {
    state: z.enum(runStates),
    providerStatus: z.string().optional(),
    message: z.string().optional(),
    hint: z.string().optional(),
  }),
  started: event("started", { totalSteps: z.number(), details: z.record(z.string(), z.unknown()) }),
  "metric-logged": event("metric-logged", {
    step: z.number(),
    totalSteps: z.number().optional(),
    values: z.record(z.string(), z.number()),
  }),
  "checkpoint-saved": event("checkpoint-saved", {
    step: z.number(),
    model: z.string().optional(),
    evalLoss: z.number().optional(),
  }),
  resumed: event("resumed", { step: z.number() }),
  uploaded: event("uploaded", { file: z.string(), remoteId: z.string() }),
  purged: event("purged", { file: z.string(), remoteId: z.string() }),
  resolved: event("resolved", {
    submissionKey: z.string(),
    outcome: z.enum(["created", "not-created"]),
    by: z.string(),
  }),
  "late-job-ended": event("late-job-ended", {
    submissionKey: z.string(),
    state: z.enum(runStates),
    usd: z.number().optional(),
  }),
  "model-ready": event("model-ready", { model: modelRefSchema }),
  "artifact-fetched": event("artifact-fetched", { path: z.string(), digest: z.string(), bytes: z.number() }),
  deploying: event("deploying", {
    lease: z.looseObject({
      key: z.string(),
      purpose: z.enum(["evaluation", "serving"]),
      hardware: z.string(),
      usdPerHour: z.number(),
      asOf: z.string(),
      source: z.string(),
      until: z.string(),
    }),
  }),
  deployed: event("deployed", {
    lease: z.string(),
    deployment: z.looseObject({ backend: z.string(), id: z.string(), model: z.string() }),
  }),
  undeploying: event("undeploying", { lease: z.string() }),
  undeployed: event("undeployed", {
    lease: z.string(),
    endedAt: z.string(),
    usd: z.number(),
    reason: z.string().optional(),
  }),
  cost: event("cost", { usd: z.number(), source: z.enum(["provider", "computed"]), detail: z.string().optional() }),
} satisfies { readonly [Type in RunEventBody["type"]]: z.ZodType<Extract<RunEventBody, { type: Type }>> }

/** An event of a run as it was kept, by this version or another: unknown keys stay. */
export const sentEventSchema: z.ZodType<SentEvent> = z.discriminatedUnion("type", [planned, ...Object.values(others)])

function event<Type extends RunEventBody["type"], Shape extends z.ZodRawShape>(type: Type, shape: Shape) {
  return z.looseObject({ type: z.literal(type), ...shape, sentAt: z.string().optional() })
}
