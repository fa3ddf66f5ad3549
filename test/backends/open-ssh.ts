import { join } from "node:path"
import { runner } from "../../src/backends/_runner.ts"
import type { BackendContext, FineTuneBackend } from "../../src/core/contracts/backend.ts"
import { python, type RunnerPlace } from "./runner-case.ts"
import { SshTransport } from "./ssh-transport.ts"

/** A runner on a host of the SSH configuration that lies in the workspace: the shared runner over another transport. */
export function open(context: BackendContext, { workspace, root }: RunnerPlace): FineTuneBackend {
  const transport = new SshTransport({ host: "runner", root, config: join(workspace, "ssh-config") })
  const scripts = join(context.packageRoot, "trainer")
  return {
    name: "ssh",
    kind: "runner",
    capabilities: () => ({ objectives: ["sft"], methods: ["lora"], asOf: "2026-11-30", source: "trainer/train.py" }),
    check: async () => [],
    estimate: async () => ({ figures: [] }),
    ...runner(context, {
      name: "ssh",
      transport,
      environment: () => ({ TUNELOOP_TEST: 'it\'s "quoted" $HOME\nand goes on' }),
      options: {},
      async trainer(base) {
        const isThere = (await transport.read(join(transport.place(scripts), "launch.py"))) !== undefined
        if (!isThere) await transport.put(scripts, transport.place(scripts))
        return { python, folder: transport.place(scripts), base }
      },
    }),
  }
}
