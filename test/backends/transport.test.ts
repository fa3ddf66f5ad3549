import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest"
import { localTransport } from "../../src/backends/_local-transport.ts"
import type { ProcessRef, Transport } from "../../src/backends/_transport.ts"
import { ProviderError } from "../../src/core/errors.ts"
import { python, until } from "./runner-case.ts"
import { SshTransport } from "./ssh-transport.ts"
import { SshServer, sshdProgram } from "./sshd.ts"

const isSkipped = sshdProgram === undefined && process.env["CI"] === undefined
let server: SshServer | undefined
afterAll(() => server?.close())

let here = ""
let there = ""
beforeEach(() => {
  here = mkdtempSync(join(tmpdir(), "tuneloop-here-"))
  there = mkdtempSync(join(tmpdir(), "tuneloop there's-"))
})
afterEach(() => {
  for (const folder of [here, there]) rmSync(folder, { recursive: true, force: true })
})

/** A name that a shell would read as something else. */
const hostile = 'it\'s $(touch gone) "quoted"; `rm -rf x` *\t-n'

describe.for([
  ["this machine", async () => localTransport],
  [
    `ssh${isSkipped ? " (skipped: there is no sshd; apt-get install openssh-server)" : ""}`,
    async () => {
      server ??= await SshServer.start()
      return new SshTransport({ host: "runner", root: there, config: server.clientConfig })
    },
  ],
] as const)("the transport to %s", { timeout: 120_000 }, ([name, make]) => {
  const test = name.startsWith("ssh") && isSkipped ? it.skip : it
  const remoteTest = name === "this machine" ? it.skip : test
  let transport: Transport
  beforeEach(async () => {
    if (!(name.startsWith("ssh") && isSkipped)) transport = await make()
  })

  test("brings files and folders there and back, over what was there, under any name", async () => {
    const folder = join(here, hostile)
    mkdirSync(join(folder, "nested"), { recursive: true })
    writeFileSync(join(folder, "a"), "first")
    writeFileSync(join(folder, "nested", "b"), Buffer.from([0, 255, 10, 13]))
    const remote = join(there, "deep", hostile)
    await transport.put(folder, remote)
    writeFileSync(join(folder, "a"), "second")
    rmSync(join(folder, "nested"), { recursive: true })
    await transport.put(folder, remote)
    expect(readdirSync(remote)).toEqual(["a"])
    await transport.put(join(folder, "a"), join(remote, "c"))
    const back = join(here, "back")
    mkdirSync(join(back, "old"), { recursive: true })
    await transport.get(remote, back)
    expect(readdirSync(back).sort()).toEqual(["a", "c"])
    expect(readFileSync(join(back, "c"), "utf8")).toBe("second")
    expect(readdirSync(here).sort()).toEqual(["back", hostile])
    expect(readdirSync(join(there, "deep"))).toEqual([hostile])
  })

  test("fails for what is not there, and leaves what is here", async () => {
    writeFileSync(join(here, "kept"), "kept")
    await expect(transport.get(join(there, "nothing"), join(here, "kept"))).rejects.toThrow()
    expect(readFileSync(join(here, "kept"), "utf8")).toBe("kept")
    await expect(transport.put(join(here, "nothing"), join(there, "nothing"))).rejects.toThrow()
    expect(readdirSync(there)).toEqual([])
  })

  test("reads a file from an offset on: all, some, none of it, and what is not there", async () => {
    const file = join(there, hostile)
    expect(await transport.read(file)).toBeUndefined()
    writeFileSync(file, "")
    expect(await read(file)).toEqual({ text: "", size: 0 })
    writeFileSync(file, "ab\ncdé")
    expect(await read(file)).toEqual({ text: "ab\ncdé", size: 7 })
    expect(await read(file, 3)).toEqual({ text: "cdé", size: 7 })
    expect(await read(file, 7)).toEqual({ text: "", size: 7 })
    expect(await read(file, 9)).toEqual({ text: "", size: 7 })
    expect(await read(file, Number.MAX_SAFE_INTEGER)).toEqual({ text: "", size: 7 })
  })

  test("starts a process with these words, in this folder, with this environment and no more", async () => {
    process.env["TUNELOOP_SECRET_OF_OURS"] = "not theirs"
    const code =
      "import json,os,sys; print(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)])); sys.stderr.write('x')"
    const log = join(there, "logs", "log")
    const folder = join(there, hostile)
    const started = await transport.start({
      words: [python, "-c", code, hostile, "", "two\nlines"],
      environment: { PATH: process.env["PATH"] ?? "", OURS: hostile, EMPTY: "" },
      folder,
      log,
    })
    await untilDead(started)
    const text = readFileSync(log, "utf8")
    expect(text.endsWith("x")).toBe(true)
    const [words, cwd, environment] = JSON.parse(text.slice(0, text.indexOf("\n"))) as [
      string[],
      string,
      Record<string, string>,
    ]
    expect(words).toEqual([hostile, "", "two\nlines"])
    expect(cwd).toBe(folder)
    expect(environment).toMatchObject({ OURS: hostile, EMPTY: "" })
    expect(environment).not.toHaveProperty("TUNELOOP_SECRET_OF_OURS")
    expect(readdirSync(folder)).toEqual([])
  })

  test("knows whether that very process runs, and signals its whole group", async () => {
    const children = join(there, "children")
    const code = [
      "import subprocess, sys, time",
      "child = subprocess.Popen(['sleep', '100'])",
      "open(sys.argv[1], 'w').write(str(child.pid))",
      "time.sleep(100)",
    ].join("\n")
    const started = await transport.start({
      words: [python, "-c", code, children],
      environment: { PATH: process.env["PATH"] ?? "" },
      folder: there,
      log: join(there, "log"),
    })
    await until(() => existsSync(children) && statSync(children).size > 0)
    const child = { pid: Number(readFileSync(children, "utf8")), startedTicks: null }
    expect(await transport.isAlive(started)).toBe(true)
    expect(await transport.isAlive({ ...started, startedTicks: (started.startedTicks ?? 0) + 1 })).toBe(false)
    // A number that was given out again is somebody else's process.
    await transport.signal({ ...started, startedTicks: (started.startedTicks ?? 0) + 1 }, "KILL")
    expect(await transport.isAlive(started)).toBe(true)
    await transport.signal(started, "TERM")
    await untilDead(started)
    await untilDead(child)
    await transport.signal(started, "KILL")
  })

  remoteTest("loses a connection, not a process: all fail and may be tried again", async () => {
    const sshd = server
    const started = await transport.start({
      words: ["sleep", "100"],
      environment: { PATH: process.env["PATH"] ?? "" },
      folder: there,
      log: join(there, "log"),
    })
    writeFileSync(join(here, "file"), "x")
    await sshd?.cut()
    const calls = [
      () => transport.isAlive(started),
      () => transport.read(join(there, "log")),
      () => transport.signal(started, "KILL"),
      () => transport.put(join(here, "file"), join(there, "file")),
      () => transport.get(join(there, "log"), join(here, "log")),
      () => transport.start({ words: ["true"], environment: {}, folder: there, log: join(there, "log") }),
    ]
    for (const call of calls) {
      const error = await call().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ProviderError)
      expect(error).toMatchObject({ isRetryable: true })
    }
    expect(existsSync(join(here, "log"))).toBe(false)
    await sshd?.listen()
    expect(await transport.isAlive(started)).toBe(true)
    await transport.signal(started, "KILL")
    await untilDead(started)
  })

  remoteTest("leaves nothing half there when a connection dies in the middle", async () => {
    const folder = join(here, "big")
    mkdirSync(folder)
    for (let index = 0; index < 40; index++) writeFileSync(join(folder, `${index}`), Buffer.alloc(2 << 20, index))
    const remote = join(there, "big")
    const sent = transport.put(folder, remote).catch((thrown: unknown) => thrown)
    await until(() => readdirSync(there).some((entry) => entry.startsWith("big.part")))
    server?.cutConnections()
    expect(await sent).toMatchObject({ isRetryable: true })
    // What was begun may go on for a moment with what had arrived; it never takes the place.
    await new Promise((done) => setTimeout(done, 500))
    expect(existsSync(remote)).toBe(false)
    await transport.put(folder, remote)
    expect(readdirSync(remote)).toHaveLength(40)
    // So large that it cannot have arrived by the time that its first file has.
    const large = join(there, "large")
    mkdirSync(large)
    for (let index = 0; index < 60; index++) {
      writeFileSync(join(large, `${index}`), "")
      truncateSync(join(large, `${index}`), 8 << 20)
    }
    const fetched = transport.get(large, join(here, "back")).catch((thrown: unknown) => thrown)
    await until(() =>
      readdirSync(here).some(
        (entry) => entry.startsWith("back.") && readdirSync(join(here, entry), { recursive: true }).length > 1,
      ),
    )
    server?.cutConnections()
    expect(await fetched).toMatchObject({ isRetryable: true })
    expect(readdirSync(here)).toEqual(["big"])
  })

  const read = async (file: string, offset?: number) => {
    const part = await transport.read(file, offset)
    return part && { text: Buffer.from(part.bytes).toString("utf8"), size: part.size }
  }
  const untilDead = async (process: ProcessRef) => {
    const deadline = performance.now() + 60_000
    while (await transport.isAlive(process)) {
      if (performance.now() > deadline) throw new Error("the process did not end in a minute")
      await new Promise((done) => setTimeout(done, 20))
    }
  }
})
