const modules = new Map<string, object>()

// What is used of it: the types of Node leave it out.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

/** What the code exports, with memory of its own; the code, base64, is compiled once. */
export function instantiate<Exports>(code: string): Exports {
  let module = modules.get(code)
  if (module === undefined) {
    module = new WebAssembly.Module(Buffer.from(code, "base64"))
    modules.set(code, module)
  }
  return new WebAssembly.Instance(module).exports as Exports
}
