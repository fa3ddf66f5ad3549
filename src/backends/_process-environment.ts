import { homedir } from "node:os"
import { delimiter, isAbsolute, join, resolve } from "node:path"
import { existsSync } from "node:fs"
import type { BackendContext } from "../core/contracts/backend.ts"
import { CredentialError } from "../core/errors.ts"

type Variables = Record<string, string>

/** What a process needs to run at all, and to find its caches. */
const basics = /^(PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TEMP|TMP|XDG_\w+)$/
const windows = /^(PATH|SYSTEMROOT|SYSTEMDRIVE|COMSPEC|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA|PROGRAMDATA)$/i
/** GPUs, threads and the libraries of the trainer. */
const machine = /^(CUDA|CUBLAS|CUDNN|NVIDIA|NCCL|GLOO|ROCR|HIP|HSA|SYCL|ZE|OMP|GOMP|KMP|MKL|OPENBLAS|MALLOC)_\w+$/
const loader = /^(LD_LIBRARY_PATH|DYLD_(FALLBACK_)?LIBRARY_PATH)$/
const libraries = /^(HF|HUGGINGFACE|TRANSFORMERS|TOKENIZERS|DATASETS|ACCELERATE|TORCH|PYTORCH|TRITON|BNB)_\w+$/
const ours = /^TUNELOOP_CACHE$/
/** Turns off that weights are loaded as weights alone. */
const forbidden = /^TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD$/
const network = /^((HTTPS?|ALL|NO|FTP)_PROXY|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE)$/i
const secret = /((KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)|_(PAT|PASS|PWD|AUTH|DSN|URL))$/i
/** Where packages come from, with what proves that one may have them. */
const pip = namesOf("PIP_", [
  "INDEX_URL EXTRA_INDEX_URL NO_INDEX FIND_LINKS TRUSTED_HOST CERT CLIENT_CERT PROXY TIMEOUT CACHE_DIR CONFIG_FILE",
  "KEYRING_PROVIDER",
])
const uv = namesOf("UV_", [
  "DEFAULT_INDEX INDEX(_\\w+)? EXTRA_INDEX_URL NO_INDEX FIND_LINKS INSECURE_HOST NATIVE_TLS SYSTEM_CERTS OFFLINE",
  "HTTP_TIMEOUT CACHE_DIR LINK_MODE KEYRING_PROVIDER CONCURRENT_\\w+",
])
/** Lists of folders in which programs and libraries are looked for. */
const searched = /^(PATH|LD_LIBRARY_PATH|DYLD_(FALLBACK_)?LIBRARY_PATH)$/i

/**
 * The variables that the trainer's processes get: those of a list and those that the job names, and of the secrets only
 * the hub's token, where the base model may come from the hub. Whatever else stands in the environment, keys of models
 * above all, stays here.
 */
export function trainerEnvironment(
  { environment }: Pick<BackendContext, "environment">,
  { named = [], usesHub = true }: { readonly named?: readonly string[]; readonly usesHub?: boolean } = {},
): Variables {
  const missing = named.find((name) => environment[name] === undefined)
  if (missing !== undefined)
    throw new CredentialError(
      `${missing} is not set, and the job hands it to the trainer`,
      `Set ${missing}, or take it out of backend.options.environment in the job.`,
    )
  const lists = [basics, windows, machine, loader, libraries, ours, network]
  return variablesOf(environment, (name) => {
    if (named.includes(name)) return true
    if (name === "HF_TOKEN") return usesHub
    return !secret.test(name) && !forbidden.test(name) && lists.some((list) => list.test(name))
  })
}

/**
 * The variables that whatever makes the trainer's environment gets: where packages come from, with what proves that one
 * may have them, and how to get there. No key of a model, nothing that Python runs at its start, and no configuration
 * of uv that lies in a workspace.
 */
export function installerEnvironment({ environment }: Pick<BackendContext, "environment">): Variables {
  const lists = [basics, windows, network, pip, uv, /^NETRC$/]
  return {
    ...variablesOf(environment, (name) => lists.some((list) => list.test(name))),
    ...uvConfiguration(environment),
  }
}

/** uv looks for a configuration in the folders above it: it gets the user's own, or none. */
function uvConfiguration(environment: BackendContext["environment"]): Variables {
  const { UV_CONFIG_FILE, XDG_CONFIG_HOME, APPDATA, HOME = homedir() } = environment
  const folder = APPDATA || XDG_CONFIG_HOME || join(HOME, ".config")
  const file = UV_CONFIG_FILE ? resolve(UV_CONFIG_FILE) : join(folder, "uv", "uv.toml")
  return isAbsolute(file) && existsSync(file) ? { UV_CONFIG_FILE: file } : { UV_NO_CONFIG: "1" }
}

function variablesOf(environment: BackendContext["environment"], isAllowed: (name: string) => boolean): Variables {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => {
      if (value === undefined || !isAllowed(name)) return []
      return [[name, searched.test(name) ? wholeFolders(value) : value] as const]
    }),
  )
}

/** Without folders that are looked for from where a process stands, and so may lie in a workspace. */
function wholeFolders(list: string): string {
  return list
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .join(delimiter)
}

function namesOf(prefix: string, lines: readonly string[]): RegExp {
  return new RegExp(`^${prefix}(${lines.join(" ").replaceAll(" ", "|")})$`)
}
