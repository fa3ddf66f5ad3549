/** A call to a service with its answer, as it went over the wire. */
export interface Exchange {
  /** The method and the path, `{id}` for ids. */
  readonly call: string
  readonly status: number
  /** The fields of the query, the form or the body; a file in a form is `content`. */
  readonly asked: Readonly<Record<string, unknown>>
  /** The answer's JSON; `content` where it is a file's. */
  readonly got: unknown
}

/** `fetch` that notes what goes over the wire. */
export function recordedFetch(baseUrl: string, exchanges: Exchange[]): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const path = url.pathname.slice(new URL(baseUrl).pathname.length)
    const call = `${init?.method ?? "GET"} ${path.replace(/(?<=\/(jobs|files|uploads|models)\/)[^/]+/, "{id}")}`
    const response = await fetch(input, init)
    exchanges.push({
      call,
      status: response.status,
      asked: { ...Object.fromEntries(url.searchParams), ...fieldsOf(init?.body) },
      got: path.endsWith("/content") ? "content" : await response.clone().json(),
    })
    return response
  }
}

function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  if (body instanceof FormData)
    return Object.fromEntries([...body].map(([name, value]) => [name, value instanceof Blob ? "content" : value]))
  return typeof body === "string" ? (JSON.parse(body) as Record<string, unknown>) : {}
}
