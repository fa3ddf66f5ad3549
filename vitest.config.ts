import { join } from "node:path"
import { defineConfig } from "vitest/config"

// Tests start the command line hundreds of times: without its types stripped and compiled anew it takes two thirds of
// the processor time.
const env = { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules", ".cache", "node") }

// `fast` on both cores; two files at a time `slow` (the real trainer), of which one waits while another trains; one at
// a time `engines` (programs that are not ours: sshd, a browser, an office suite, a model server).
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "fast",
          env,
          include: ["test/**/*.test.ts"],
          exclude: ["test/slow/**", "test/engines/**"],
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "slow",
          env,
          include: ["test/slow/**/*.test.ts"],
          maxWorkers: 2,
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          name: "engines",
          env,
          include: ["test/engines/**/*.test.ts"],
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
})
