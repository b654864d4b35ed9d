import { Database } from 'bun:sqlite'

/** What the thread is told, once. */
export interface CopyOrder {
  readonly file: string
  readonly copy: string
}

/** What it tells in the end. */
export type CopyNews = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly message: string }

declare const self: Worker

self.onmessage = ({ data }: MessageEvent<CopyOrder>) => {
  const tell = (news: CopyNews) => self.postMessage(news)
  try {
    copy(data)
    tell({ kind: 'done' })
  } catch (thrown) {
    tell({ kind: 'failed', message: thrown instanceof Error ? thrown.message : String(thrown) })
  }
}

/** One state of the file, whoever writes to it meanwhile. */
function copy({ file, copy }: CopyOrder): void {
  const source = new Database(file, { readwrite: true, create: false })
  try {
    source.run('pragma busy_timeout=30000')
    source.run('vacuum into ?', [copy])
  } finally {
    source.close()
  }
}
