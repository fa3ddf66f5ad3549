// Trains the job of a workspace as a command of its own would, and may be killed: `node train-hosted.ts JSON`.
import openAiCompatible from "../../../src/backends/openai-compatible.ts"
import { train } from "../../../src/stages/training/train.ts"
import { backendContext, stageContext } from "./workspace.ts"

const { folder, key, options } = JSON.parse(process.argv[2] ?? "") as { folder: string; key: string; options: object }
const context = stageContext(folder)
const backend = openAiCompatible.create(
  backendContext({ OPENAI_API_KEY: key }),
  openAiCompatible.options.parse(options),
)
await train(context, context.workspace.readJob("mood"), context.workspace.readTask("mood"), backend)
