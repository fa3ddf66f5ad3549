import { spawn } from "node:child_process"
import { hash } from "node:crypto"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, expect, it } from "vitest"
import { installerEnvironment, trainerEnvironment } from "../../src/backends/_process-environment.ts"
import { desktopEnvironment } from "../../src/cli/review/open-browser.ts"
import { packageRoot } from "../../src/cli/version.ts"
import { outcomeOf, sampleWorkspace } from "../command-line.ts"
import { fillWithCode, misleading } from "./hostile-workspace.ts"

const secrets = {
  OPENAI_API_KEY: "x",
  OPENAI_APIKEY: "x",
  ANTHROPIC_API_KEY: "x",
  DATABASE_URL: "x",
  GITHUB_PAT: "x",
  GITHUB_TOKEN: "x",
  AWS_SECRET_ACCESS_KEY: "x",
  AWS_ACCESS_KEY_ID: "x",
  HUGGINGFACE_PAT: "x",
  NVIDIA_API_KEY: "x",
  ZENDESK_MAIL: "x",
  TUNELOOP_LEDGER_URL: "x",
}
const startsCode = {
  PYTHONPATH: "/workspace",
  PYTHONSTARTUP: "x",
  PYTHONHOME: "x",
  PYTHONUSERBASE: "x",
  NODE_OPTIONS: "--require=x",
  LD_PRELOAD: "x",
  DYLD_INSERT_LIBRARIES: "x",
  BASH_ENV: "x",
  GIT_SSH_COMMAND: "x",
  PIP_TARGET: "x",
  PIP_REQUIRE_VIRTUALENV: "x",
  UV_PROJECT_ENVIRONMENT: "x",
  TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD: "1",
}
const home = mkdtempSync(join(tmpdir(), "tuneloop-home-"))

describe("what processes get of the environment", () => {
  it("training: the machine's, the caches, proxies, the hub's token, and what the job names", () => {
    const allowed = {
      PATH: "/usr/bin",
      HOME: home,
      CUDA_VISIBLE_DEVICES: "0",
      NCCL_DEBUG: "INFO",
      HF_HOME: "/models",
      HF_TOKEN: "of the hub",
      HTTPS_PROXY: "http://proxy:3128",
    }
    const environment = { ...allowed, ...secrets, ...startsCode }
    expect(trainerEnvironment({ environment })).toEqual(allowed)
    expect(trainerEnvironment({ environment }, { named: ["DATABASE_URL"] })).toEqual({ ...allowed, DATABASE_URL: "x" })
    // A model of this machine needs no token.
    const { HF_TOKEN: _token, ...local } = allowed
    expect(trainerEnvironment({ environment }, { usesHub: false })).toEqual(local)
    expect(() => trainerEnvironment({ environment }, { named: ["NOT_SET"] })).toThrow(/NOT_SET is not set/)
  })

  it("installing: the package index with what it wants to see, and proxies", () => {
    const allowed = {
      PATH: "/usr/bin",
      HOME: home,
      PIP_INDEX_URL: "https://me:word@pypi.example/simple",
      UV_INDEX_INTERN_PASSWORD: "word",
      NETRC: "/home/me/.netrc",
      https_proxy: "http://proxy:3128",
    }
    const environment = { ...allowed, HF_TOKEN: "x", CUDA_VISIBLE_DEVICES: "0", ...secrets, ...startsCode }
    expect(installerEnvironment({ environment })).toEqual({ ...allowed, UV_NO_CONFIG: "1" })
  })

  it("opening a browser: the desktop's", () => {
    const allowed = { PATH: "/usr/bin", HOME: home, DISPLAY: ":0", DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/bus" }
    const environment = { ...allowed, HF_TOKEN: "x", ...secrets, ...startsCode }
    expect(desktopEnvironment(environment)).toEqual(allowed)
  })

  it("uv reads the user's own configuration, and none that lies in a folder above it", () => {
    const own = mkdtempSync(join(tmpdir(), "tuneloop-home-"))
    mkdirSync(join(own, ".config", "uv"), { recursive: true })
    const file = join(own, ".config", "uv", "uv.toml")
    writeFileSync(file, "")
    expect(installerEnvironment({ environment: { HOME: own } })).toEqual({ HOME: own, UV_CONFIG_FILE: file })
  })

  it("programs are looked for in whole folders only, never from where a process stands", () => {
    const list = ["", ".", "bin", "/usr/bin", "./node_modules/.bin", "/bin"].join(delimiter)
    const environment = { PATH: list, LD_LIBRARY_PATH: list, HOME: home }
    const whole = ["/usr/bin", "/bin"].join(delimiter)
    expect(trainerEnvironment({ environment })).toEqual({ PATH: whole, LD_LIBRARY_PATH: whole, HOME: home })
    expect(installerEnvironment({ environment })["PATH"]).toBe(whole)
  })
})

describe("a workspace full of code", () => {
  it("runs none of it to look at the machine", async () => {
    const workspace = sampleWorkspace()
    const ran = fillWithCode(workspace)
    const environment = { ...misleading(workspace), TUNELOOP_CACHE: join(workspace, ".cache"), TUNELOOP_PYTHON: "" }
    const doctor = await outcomeOf(
      spawn(process.execPath, [join(packageRoot, "src", "cli", "main.ts"), "doctor", "--json"], {
        cwd: workspace,
        env: { ...process.env, ...environment },
      }),
    )
    expect(doctor.stdout).toContain("trainer environment")
    expect(existsSync(ran) ? readFileSync(ran, "utf8") : "nothing").toBe("nothing")
  })

  it("without a home folder, its own cache is not taken for the user's", async () => {
    const workspace = sampleWorkspace()
    const ran = fillWithCode(workspace)
    const requirements = readFileSync(join(packageRoot, "trainer", "requirements.txt"))
    const cache = join(workspace, ".cache", "tuneloop", `trainer-${hash("sha256", requirements, "hex").slice(0, 12)}`)
    mkdirSync(join(cache, "venv-of-workspace", "bin"), { recursive: true })
    writeFileSync(join(cache, "complete"), "venv-of-workspace")
    cpSync(join(workspace, "python3"), join(cache, "venv-of-workspace", "bin", "python"))
    const script = `
      import { madeTrainerPython } from ${JSON.stringify(pathToFileURL(environmentModule).href)}
      const environment = { PATH: process.env.PATH }
      console.log(madeTrainerPython({ environment, packageRoot: ${JSON.stringify(packageRoot)} }))
    `
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { cwd: workspace })
    const { code, stdout, stderr } = await outcomeOf(child)
    expect([code, stdout], stderr).toEqual([0, expect.not.stringContaining("venv-of-workspace")])
    expect(existsSync(ran)).toBe(false)
  })
})

const environmentModule = join(packageRoot, "src", "backends", "_trainer-environment.ts")
