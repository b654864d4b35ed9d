import { AdvisoryImportFailed, type ImportProgress, type ImportReport, type ImportRequest } from '../advisories.ts'
import { runImport } from './import-run.ts'

/** What the thread is told, once. */
export interface ImportOrder {
  readonly directory: string
  readonly request: ImportRequest
}

/** What it tells: progress, and in the end the report or why there is none. */
export type ImportNews =
  | { readonly kind: 'progress'; readonly progress: ImportProgress }
  | { readonly kind: 'done'; readonly report: ImportReport }
  | { readonly kind: 'failed'; readonly message: string; readonly isForOperator: boolean }

declare const self: Worker

self.onmessage = async ({ data }: MessageEvent<ImportOrder>) => {
  const tell = (news: ImportNews) => self.postMessage(news)
  try {
    const report = await runImport(data.directory, data.request, (progress) => tell({ kind: 'progress', progress }))
    tell({ kind: 'done', report })
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    tell({ kind: 'failed', message, isForOperator: thrown instanceof AdvisoryImportFailed })
  }
}
