// Plain JavaScript for Node 18 or newer: makes the checkout ready, then runs the file named first on the Node 24 that
// comes with the development dependencies. `node src/cli/setup.mjs src/cli/main.ts --help`
import { spawn, spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const node = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node")

install()
run(process.argv.slice(2))

/** The packages of the lock file are there; nothing is done, and fast, when they are already, by whatever command. */
function install() {
  if (existsSync(node) && isInstalled()) return
  process.stderr.write("setting up: installing the packages (once, about 20 s)\n")
  const npm = process.platform === "win32" ? "npm.cmd" : "npm"
  const { status } = spawnSync(npm, ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  })
  if (status !== 0)
    fail(`npm ci ended with ${status}`, "See npm's messages above; check the network and run the command again.")
  if (!existsSync(node))
    fail(
      "the npm package `node` did not bring Node 24",
      "Its install script was blocked: run `npm rebuild node`, or use Node 24 yourself (https://nodejs.org).",
    )
}

/** Whether npm's own note of what lies in `node_modules` has each package that the lock file asks for. */
function isInstalled() {
  const note = join(root, "node_modules", ".package-lock.json")
  if (!existsSync(note)) return false
  const there = packagesOf(note)
  return Object.entries(packagesOf(join(root, "package-lock.json"))).every(
    ([path, wanted]) => path === "" || wanted.optional || there[path]?.integrity === wanted.integrity,
  )
}

function packagesOf(lockFile) {
  return JSON.parse(readFileSync(lockFile, "utf8")).packages
}

function run(words) {
  // Ctrl-C reaches the child as well: it decides, this process only passes its answer on.
  process.on("SIGINT", () => undefined)
  const child = spawn(node, [join(root, words[0]), ...words.slice(1)], { stdio: "inherit" })
  process.on("SIGTERM", () => child.kill("SIGTERM"))
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)))
}

function fail(message, hint) {
  process.stderr.write(`error: ${message}\n  ${hint}\n`)
  process.exit(1)
}
