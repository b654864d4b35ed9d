import type { TaskMessage } from '../../src/workers/messages.ts'

/** A worker that does with a task what the media type says: dies, hangs, throws, or answers. */
declare const self: Worker

self.onmessage = ({ data }: MessageEvent<TaskMessage>) => {
  if (data.type !== 'analyse') return
  switch (data.mediaType) {
    case 'dies':
      process.exit(3)
      break
    case 'throws':
      throw new Error('a mistake in the worker')
    case 'hangs':
      for (;;);
    case 'is-silent':
      break
    default:
      self.postMessage({ type: 'analysed', facts: Uint8Array.of(7) })
  }
}
