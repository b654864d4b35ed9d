import { requestTooLarge } from '../../domain/errors.ts'

/** The whole body in memory. Throws `request-too-large` as soon as it is longer than the limit, whatever its headers say. */
export async function readBody(request: Request, limitBytes: number): Promise<Uint8Array> {
  const announced = request.headers.get('content-length')
  if (announced !== null && Number(announced) > limitBytes) throw requestTooLarge(limitBytes)
  if (request.body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of request.body) {
    sizeBytes += chunk.length
    // Leaving the loop cancels the stream.
    if (sizeBytes > limitBytes) throw requestTooLarge(limitBytes)
    chunks.push(chunk)
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, sizeBytes)
}
