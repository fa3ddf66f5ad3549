import { z } from "zod"
import { nameSchema, schemaVersion } from "../names.ts"
import { checkpointChoices } from "./checkpoints.ts"

const objectiveSchema = z.enum(["sft", "dpo"])
type Objective = z.output<typeof objectiveSchema>
/** What a job may ask for; each backend has some of them. */
export const objectives = objectiveSchema.options

const adapterSettings = {
  rank: z.int().positive().default(16).describe("Rank of the adapters"),
  alpha: z.number().positive().default(32).describe("Scaling of the adapters; often twice the rank"),
  dropout: z.number().min(0).lt(1).default(0).describe("Dropout of the adapters"),
  targetModules: z
    .union([z.literal("all-linear"), z.array(z.string()).min(1)])
    .default("all-linear")
    .describe("The modules that get adapters"),
}

/** One entry for each training method; the other one is in trainer/_methods.py. */
const methodSchema = z.discriminatedUnion("name", [
  z.strictObject({
    name: z.literal("lora").describe("lora: low-rank adapters beside the frozen weights"),
    ...adapterSettings,
  }),
  z.strictObject({
    name: z.literal("dora").describe("dora: LoRA that learns the length of each column apart; slower"),
    ...adapterSettings,
  }),
  z.strictObject({
    name: z
      .literal("qlora")
      .describe("qlora: LoRA beside weights that are held in four bits (NF4); a fraction of the memory, slower"),
    ...adapterSettings,
  }),
])

const hyperparametersSchema = z.strictObject({
  epochs: z.int().positive().default(3).describe("Passes over the training rows"),
  batchSize: z.int().positive().default(8).describe("Rows a step"),
  gradientAccumulation: z.int().positive().default(1).describe("Batches a step"),
  learningRate: z.number().positive().default(2e-4).describe("The highest learning rate"),
  learningRateMultiplier: z
    .number()
    .positive()
    .optional()
    .describe("What the provider's own learning rate is multiplied by, where a provider takes no learning rate"),
  scheduler: z.enum(["linear", "cosine", "constant"]).default("linear").describe("How the learning rate falls"),
  warmupRatio: z.number().min(0).lt(1).default(0.05).describe("The share of steps in which the learning rate rises"),
  weightDecay: z.number().min(0).default(0).describe("Weight decay of AdamW"),
  beta: z
    .number()
    .positive()
    .max(2)
    .optional()
    .describe("dpo only: how strongly the model is held to its base; the service's own value where absent"),
  maxLength: z.int().positive().default(1024).describe("The longest row in tokens; a longer one stops the submit"),
})

/** What the trainer can do, by the names that a job gives: every runner of it offers them. */
export const trainerObjectives: readonly Objective[] = ["sft"]
export const trainerMethods: readonly string[] = methodSchema.options.map(({ shape }) => shape.name.value)

const providersSettings = ["learningRateMultiplier", "beta"]

/** The settings that the trainer follows: all but what only a provider has. */
export function trainerSettings(): string[] {
  const method = methodSchema.options.flatMap(({ shape }) => Object.keys(shape))
  const keys = new Set([...method, ...Object.keys(hyperparametersSchema.shape)])
  return [...keys].filter((key) => !providersSettings.includes(key))
}

/** The settings of a job that names none, by the keys of `method` and `hyperparameters`. */
export function settingDefaults(method: JobSpecification["method"]["name"]): Readonly<Record<string, unknown>> {
  return { ...methodSchema.parse({ name: method }), ...hyperparametersSchema.parse({}) }
}

/** The job file, `jobs/<job>.yaml`: what to train, on what, where. Strict: an unknown key is an error. */
export const jobSchema = z
  .strictObject({
    schemaVersion,
    job: nameSchema.describe("The job's name; the file is jobs/<job>.yaml"),
    task: nameSchema.describe("The task to train for"),
    dataset: z
      .string()
      .regex(/^(latest|ds_[0-9a-f]{16})$/, "must be latest or the id of a dataset version (ds_ and 16 hex digits)")
      .default("latest")
      .describe("latest, or the id of a dataset version"),
    baseModel: z
      .string()
      .min(1)
      .describe(
        "A Hugging Face id, a local folder, a GGUF file, or package:<python package>/<file.gguf> for one " +
          "that comes inside a Python package",
      ),
    revision: z.string().optional().describe("The revision of a Hugging Face base model"),
    backend: z
      .strictObject({
        name: z.string().default("local").describe("The file in backends/ that trains"),
        options: z.record(z.string(), z.unknown()).default({}).describe("The backend's own options"),
      })
      .prefault({})
      .describe("Where the model is trained"),
    objective: objectiveSchema
      .default("sft")
      .describe(
        "sft: supervised fine-tuning on pairs of input and output; dpo: direct preference optimisation on the " +
          "version's preferences, which come of reviewers' corrections",
      ),
    method: methodSchema
      .prefault({ name: "lora" })
      .describe("How the weights are trained, with the method's own settings"),
    hyperparameters: hyperparametersSchema.prefault({}).describe("The settings of the optimiser"),
    checkpoint: z
      .enum(checkpointChoices)
      .default("last")
      .describe("Which checkpoint is the model: the last one, or that with the lowest loss on the validation rows"),
    budgetUsd: z.number().min(0).optional().describe("The most that all runs of the job may cost, ever, in US dollars"),
    allowUnknownCost: z
      .boolean()
      .optional()
      .describe("true: train below a ceiling although nobody wrote down what the training costs"),
    seed: z.int().min(0).max(2_147_483_647).default(1).describe("Of the order of rows and of the initial adapter"),
    evaluation: z
      .strictObject({
        contenders: z
          .array(z.string())
          .default(["zero-shot", "few-shot", "linear"])
          .describe("What the tuned model is compared with"),
        shotsPerLabel: z.int().positive().default(1).describe("Examples a label in the few-shot prompt (label tasks)"),
        shots: z.int().positive().default(4).describe("Examples in the few-shot prompt (other tasks)"),
        maxNewTokens: z
          .int()
          .positive()
          .optional()
          .describe(
            "The most tokens a contender may answer with; without it three times the longest output of the version's " +
              "train and validation rows, by estimate, and at least 16",
          ),
        batchSize: z.int().positive().default(32).describe("Rows answered at once"),
        latencyRows: z.int().min(1).default(20).describe("Rows answered one at a time to measure latency"),
      })
      .prefault({})
      .describe("What the tuned model is compared with, and how"),
  })
  .refine(({ objective, hyperparameters }) => objective === "dpo" || hyperparameters.beta === undefined, {
    path: ["hyperparameters", "beta"],
    error: "only the objective dpo has it; leave it out, or set objective: dpo",
  })
  .refine(({ objective, checkpoint }) => objective !== "dpo" || checkpoint === "last", {
    path: ["checkpoint"],
    error: "dpo trains without validation rows, so there is no validation loss; leave it out, or set checkpoint: last",
  })
  .describe("A Tuneloop training job")
export type JobSpecification = z.output<typeof jobSchema>
