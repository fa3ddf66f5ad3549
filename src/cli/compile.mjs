// Compiles src/ to dist/ for the package, from nothing.
import { spawnSync } from "node:child_process"
import { chmodSync, cpSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
rmSync(join(root, "dist"), { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", root], {
  stdio: "inherit",
})
if (status !== 0) process.exit(status ?? 1)
// What runs in the browser is JavaScript as it is.
cpSync(join(root, "src", "web", "page"), join(root, "dist", "web", "page"), { recursive: true })
chmodSync(join(root, "dist", "cli", "main.js"), 0o755)
