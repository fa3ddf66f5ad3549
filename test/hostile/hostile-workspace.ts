import { chmodSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"

const modules = ["venv", "pip", "torch", "ensurepip", "runpy", "site", "sitecustomize", "usercustomize", "json"]
const programs = ["python3", "python3.13", "python3.12", "python3.11", "python", "uv", "git", "pip", "sh", "xdg-open"]

/**
 * The folder is full of modules, programs and settings of the names that processes look for. What runs writes its name
 * into the file that is returned.
 */
export function fillWithCode(folder: string): string {
  const ran = join(mkdtempSync(join(tmpdir(), "tuneloop-ran-")), "ran")
  for (const name of modules)
    writeFileSync(join(folder, `${name}.py`), `open(${JSON.stringify(ran)}, "a").write("${name}.py ")\n`)
  for (const name of programs) {
    const file = join(folder, name)
    writeFileSync(file, `#!/bin/sh\nprintf '${name} ' >> '${ran}'\nexit 1\n`)
    chmodSync(file, 0o755)
  }
  const elsewhere = "http://127.0.0.1:9/workspace"
  writeFileSync(join(folder, ".env"), `TUNELOOP_PYTHON=${join(folder, "python3")}\nPIP_INDEX_URL=${elsewhere}\n`)
  writeFileSync(join(folder, "pyproject.toml"), `[tool.uv]\nindex-url = "${elsewhere}"\n`)
  writeFileSync(join(folder, "uv.toml"), `index-url = "${elsewhere}"\n`)
  writeFileSync(join(folder, "pip.conf"), `[global]\nindex-url = ${elsewhere}\n`)
  return ran
}

/** What a user's environment may say that makes processes look into the workspace. */
export function misleading(workspace: string): Record<string, string> {
  return {
    PATH: [".", "", process.env["PATH"] ?? ""].join(delimiter),
    PYTHONPATH: workspace,
    PYTHONSTARTUP: join(workspace, "torch.py"),
  }
}
