// Compiles assembly/sketch.ts to src/curation/sketch-code.ts, which is committed: only those who change the source need the compiler.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { main } from "assemblyscript/asc"

const target = fileURLToPath(new URL("../src/curation/sketch-code.ts", import.meta.url))

/** The text of src/curation/sketch-code.ts: the compiled bytes as base64, the same for the same source and compiler. */
export async function compiledModule(): Promise<string> {
  const written = new Map<string, string | Uint8Array>()
  const { error, stderr } = await main(
    ["sketch.ts", "--outFile", "sketch.wasm", "--runtime", "stub", "--optimizeLevel", "3", "--shrinkLevel", "0", "--noAssert", "--enable", "simd"],
    {
      readFile: (name: string) => (name === "sketch.ts" ? readFileSync(new URL(name, import.meta.url), "utf8") : null),
      writeFile: (name: string, contents: string | Uint8Array) => void written.set(name, contents),
    },
  )
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`)
  const base64 = Buffer.from(written.get("sketch.wasm") as Uint8Array).toString("base64")
  return `/** What assembly/compile.ts makes of assembly/sketch.ts: WebAssembly, as base64. Not edited by hand. */\nexport const sketchCode =\n  "${base64}"\n`
}

if (process.argv[1] && join(process.argv[1]) === fileURLToPath(import.meta.url)) writeFileSync(target, await compiledModule())
