// Compiles each source here to a file in src/curation/near/, which is committed: only those who change a source need the
// compiler.
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { main } from "assemblyscript/asc"

export const sources = ["sketcher", "buckets", "cosine"] as const

/**
 * The text of src/curation/near/<source>-code.ts: the compiled bytes as base64, the same for the same source and compiler.
 */
export async function compiledModule(source: (typeof sources)[number]): Promise<string> {
  const written = new Map<string, string | Uint8Array>()
  const { error, stderr } = await main(
    [`${source}.ts`, "--outFile", "code.wasm", "--runtime", "stub", "--initialMemory", "1", "--optimizeLevel", "3", "--shrinkLevel", "0", "--noAssert", "--enable", "simd"],
    {
      readFile: (name: string) => (existsSync(new URL(name, import.meta.url)) ? readFileSync(new URL(name, import.meta.url), "utf8") : null),
      writeFile: (name: string, contents: string | Uint8Array) => void written.set(name, contents),
    },
  )
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`)
  const base64 = Buffer.from(written.get("code.wasm") as Uint8Array).toString("base64")
  return `/** What assembly/compile.ts makes of assembly/${source}.ts: WebAssembly, as base64. Not edited by hand. */\nexport const ${source}Code =\n  "${base64}"\n`
}

if (process.argv[1] && join(process.argv[1]) === fileURLToPath(import.meta.url))
  for (const source of sources)
    writeFileSync(fileURLToPath(new URL(`../src/curation/near/${source}-code.ts`, import.meta.url)), await compiledModule(source))
