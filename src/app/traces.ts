import type { Config } from '../config/config.ts'
import { VERSION } from '../config/version.ts'
import type { Handler } from '../protocols/http/context.ts'
import { asError, type Foundation } from './foundation.ts'

/** A handler, and what must be done before the end. */
export interface TracedHandler {
  readonly handle: Handler
  close(): Promise<void>
}

/** The end of the process does not wait for a collector that is gone. */
const PATIENCE_MS = 3_000

function patience(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, PATIENCE_MS).unref()
  })
}

/** Traces requests where a collector is configured; otherwise nothing is loaded, and nothing stands in the way of requests. */
export async function withTraces(
  handle: Handler,
  { config, logger, ids, realClock }: Foundation,
): Promise<TracedHandler> {
  const { endpoint, headers, sampleRatio }: Config['traces'] = config.traces
  if (endpoint === undefined) return { handle, close: async () => undefined }
  const { OtlpExporter } = await import('../clients/otlp.ts')
  const { traced } = await import('../protocols/http/traced.ts')
  const resource = { 'service.name': 'ecru', 'service.version': VERSION }
  const exporter = new OtlpExporter({ endpoint, headers, resource }, (error, lost) =>
    logger.warn({ error: asError(error), lost }, 'traces cannot be sent'),
  )
  const settings = {
    sampleRatio,
    randomHex: (bytes: number) => ids.secret(bytes).toHex(),
    nowMs: () => realClock.now().getTime(),
  }
  return { handle: traced(handle, exporter, settings), close: () => Promise.race([exporter.flush(), patience()]) }
}
