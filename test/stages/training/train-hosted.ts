// Trains the job of a workspace as a command of its own would, and may be killed: `node train-hosted.ts JSON`.
import { train } from "../../../src/stages/training/train.ts"
import { services } from "./submit-crash.ts"
import { backendContext, stageContext } from "./workspace.ts"

interface Settings {
  readonly service: string
  readonly folder: string
  readonly key: string
  readonly baseUrl: string
  readonly settleSeconds: number
}

const { service: name, folder, key, baseUrl, settleSeconds } = JSON.parse(process.argv[2] ?? "") as Settings
const service = services[name]
if (service === undefined) throw new Error(`there is no service ${name}`)
const context = stageContext(folder)
const options = service.module.options.parse(service.options({ baseUrl, settleSeconds }))
const backend = service.module.create(backendContext({ [service.keyName]: key }), options)
await train(context, context.workspace.readJob("mood"), context.workspace.readTask("mood"), backend)
