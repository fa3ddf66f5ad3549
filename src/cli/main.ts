#!/usr/bin/env node
// The version is checked before anything is imported that an older Node cannot load.
const [major = 0] = process.versions.node.split(".").map(Number)
if (major < 24) {
  process.stderr.write(
    `error: Tuneloop runs on Node 24 or newer; this is Node ${process.versions.node}\n  Install Node 24 ` +
      "(https://nodejs.org), or run it through the npm package: npx --package=node@24 --package=tuneloop " +
      `tuneloop --help\n`,
  )
  process.exit(2)
}
await keepCompiledCode()
const { main } = await import("./program.ts")
await main(process.argv.slice(2))

/** The second command starts in two thirds of the time of the first; a folder that cannot be written costs nothing. */
async function keepCompiledCode(): Promise<void> {
  const { enableCompileCache } = await import("node:module")
  const { machineCacheFolder } = await import("../core/machine-cache.ts")
  const folder = machineCacheFolder(process.env, process.platform)
  if (folder !== undefined) enableCompileCache(`${folder}/compiled`)
}

export {}
