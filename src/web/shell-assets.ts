import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" ' +
  'fill="#1f5fae"/><path d="M4 8.5l2.7 2.7L12 5.6" fill="none" stroke="#fff" stroke-width="1.8" ' +
  'stroke-linecap="round" stroke-linejoin="round"/></svg>'

export interface Asset {
  readonly type: string
  readonly body: string
}

/**
 * What a page is made of, by its path: the document, its style and every module of the folder page/. All of it is held
 * in memory: no path that comes in is ever looked for on the disk.
 */
export function pageAssets(document: string, style: string): ReadonlyMap<string, Asset> {
  const folder = join(import.meta.dirname, "page")
  const modules = readdirSync(folder).filter((name) => name.endsWith(".js"))
  return new Map([
    ["/", { type: "text/html; charset=utf-8", body: document }],
    ["/icon.svg", { type: "image/svg+xml", body: icon }],
    ["/style.css", { type: "text/css; charset=utf-8", body: style }],
    ...modules.map(
      (name) =>
        [
          `/page/${name}`,
          { type: "text/javascript; charset=utf-8", body: readFileSync(join(folder, name), "utf8") },
        ] satisfies [string, Asset],
    ),
  ])
}
