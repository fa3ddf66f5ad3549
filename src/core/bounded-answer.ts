import { ProviderError } from "./errors.ts"

/** Whose answer is read, and how much of it at most. */
export interface AnswerBound {
  readonly provider: string
  readonly host: string
  readonly mostBytes: number
}

/**
 * The answer, whose body ends in a ProviderError once it has more bytes than are allowed, counted as they come in and
 * unpacked: no more of it is held than that.
 */
export function bounded(response: Response, { provider, host, mostBytes }: AnswerBound): Response {
  if (response.body === null) return response
  let bytes = 0
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength
        if (bytes <= mostBytes) return controller.enqueue(chunk)
        controller.error(
          new ProviderError(`${host} sent more than ${megabytes(mostBytes)} in one answer; no more of it was read`, {
            provider,
            // What is said of a failure is no answer.
            ...(response.ok ? { unread: "too long" } : {}),
            hint: "Does the server keep to what it is asked, maxTokens above all? See its log.",
          }),
        )
      },
    }),
  )
  const { status, statusText, headers } = response
  return new Response(counted, { status, statusText, headers })
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}
