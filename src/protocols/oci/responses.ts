import type { RequestContext } from '../http/context.ts'

/** Header names and values; those that are `undefined` are left out. */
export type HeaderValues = Readonly<Record<string, string | undefined>>

/** What a `Response` takes as its body here. */
export type AnswerBody = string | Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array> | null

/** A response with the headers that all of this plane's responses carry. */
export function answer(
  context: RequestContext,
  status: number,
  headers: HeaderValues = {},
  body: AnswerBody = null,
): Response {
  const all: Record<string, string> = {
    'Docker-Distribution-Api-Version': 'registry/2.0',
    'x-amzn-RequestId': context.requestId,
  }
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) all[name] = value
  }
  return new Response(body, { status, headers: all })
}

/** A response that is one JSON document and a newline. */
export function answerJson(
  context: RequestContext,
  status: number,
  document: unknown,
  headers: HeaderValues = {},
): Response {
  const body = Buffer.from(`${JSON.stringify(document)}\n`)
  return answer(
    context,
    status,
    { 'Content-Type': 'application/json', 'Content-Length': String(body.byteLength), ...headers },
    body,
  )
}

/** The answer to HEAD, made of the answer to GET. */
export function withoutBody({ status, headers }: Response): Response {
  return new Response(null, { status, headers })
}
