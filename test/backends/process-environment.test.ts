import { expect, it } from "vitest"
import { trainerEnvironment } from "../../src/backends/_process-environment.ts"
import { contextOf } from "./runner-case.ts"

it("hands the trainer what it runs on, and none of the secrets that stand beside", () => {
  const allowed = {
    PATH: "/bin",
    HOME: "/home/me",
    LC_ALL: "C",
    HF_HOME: "/models",
    HF_TOKEN: "of the hub",
    CUDA_VISIBLE_DEVICES: "0",
    NCCL_DEBUG: "INFO",
    OMP_NUM_THREADS: "2",
    https_proxy: "http://proxy:3128",
    NO_PROXY: "localhost",
    SSL_CERT_FILE: "/certs",
    TUNELOOP_CACHE: "/cache",
  }
  const kept = {
    OPENAI_API_KEY: "x",
    OPENAI_APIKEY: "x",
    DATABASE_URL: "x",
    GITHUB_PAT: "x",
    AWS_SECRET_ACCESS_KEY: "x",
    HUGGINGFACE_API_KEY: "x",
    TUNELOOP_OTHER_TOKEN: "x",
    PYTHONPATH: "/workspace",
    PYTHONSTARTUP: "x",
    LD_PRELOAD: "x",
    BASH_ENV: "x",
    UNSET: undefined,
  }
  expect(trainerEnvironment({ ...contextOf(""), environment: { ...allowed, ...kept } })).toEqual(allowed)
})
