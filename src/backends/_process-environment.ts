import type { BackendContext } from "../core/contracts/backend.ts"

/** What a process needs to run at all, and to find its caches. */
const basics = /^(PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TEMP|TMP|XDG_\w+)$/
const windows = /^(SYSTEMROOT|SYSTEMDRIVE|COMSPEC|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA|PROGRAMDATA)$/i
/** GPUs, threads and the libraries of the trainer. */
const machine =
  /^(CUDA|CUBLAS|CUDNN|NVIDIA|NCCL|GLOO|ROCR|HIP|HSA|SYCL|ZE|OMP|GOMP|KMP|MKL|OPENBLAS|MALLOC|LD_LIBRARY_PATH|DYLD)/
const libraries = /^(HF|HUGGINGFACE|TRANSFORMERS|TOKENIZERS|DATASETS|ACCELERATE|TORCH|PYTORCH|TRITON|BNB|TUNELOOP)_/
const network = /^((HTTPS?|ALL|NO|FTP)_PROXY|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE)$/i
const secret = /(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i

/**
 * The variables that the trainer's processes get: those of a list, and of the secrets only the hub's token, which gated
 * base models need. Whatever else stands in the environment, keys of models above all, stays here.
 */
export function trainerEnvironment({ environment }: BackendContext): Record<string, string> {
  const allowed: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment))
    if (value !== undefined && isAllowed(name)) allowed[name] = value
  return allowed
}

function isAllowed(name: string): boolean {
  if (name === "HF_TOKEN") return true
  return !secret.test(name) && [basics, windows, machine, libraries, network].some((list) => list.test(name))
}
