import type { Config } from '../config/config.ts'
import type { AccessQuestion } from '../domain/iam/access-report.ts'
import type { RepositoryRef } from '../domain/names.ts'
import type { Logger } from '../lib/logger.ts'
import type { Handler } from '../protocols/http/context.ts'

/** What `ecru admin` can have done. */
export type AdminCommand =
  | 'account/create'
  | 'account/list'
  | 'public-alias/add'
  | 'public-alias/list'
  | 'public-alias/remove'
  | 'root/rotate'
  | 'session/revoke'
  | 'token/create'
  | 'token/list'
  | 'token/revoke'
  | 'token-key/rotate'

/** What `ecru sbom` and others can ask about the content of images. */
export type ScanCommand =
  | 'findings'
  | `admission/${'list' | 'remove' | 'set' | 'show'}`
  | `sbom/${'attach' | 'write'}`
  | `suppressions/${'add' | 'list' | 'remove'}`

/** What `ecru replication` can ask. */
export type ReplicationCommand = 'backfill' | 'retry' | 'status'

/** What `ecru events` can ask. */
export type EventCommand = 'dead-letters' | 'forget' | 'read' | 'replay' | 'secret' | 'status'

/** Hears how far an import of advisories has come. */
type OnImportProgress = (progress: {
  readonly part: string
  readonly partsDone: number
  readonly partCount: number
  readonly recordsRead: number
}) => void

/** What is to be in a backup beside records and content. */
export interface BackupRequest {
  readonly includesKeys: boolean
  readonly includesAdvisories: boolean
}

export interface BackupOrder extends BackupRequest {
  readonly to: string
  readonly keep?: number | undefined
  readonly isThorough: boolean
}

/** What the commands need of the application, however it is composed. */
export interface RunningApp {
  readonly handle: Handler
  /** The root key that was made because there was none: to be shown once. */
  readonly firstRootKey: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined
  /** Begins the work that goes on beside requests, such as scheduled garbage collection. */
  start(): void
  /** Throws when the registry cannot serve, with the reason. */
  ready(): Promise<void>
  totals(): Promise<object>
  collectGarbage(isDryRun: boolean): Promise<object>
  scrub(isDryRun: boolean): Promise<object>
  /** Everything, into a directory or an archive. */
  backUp(order: BackupOrder): Promise<object>
  /** The same as an archive, read as it is made; it ends with a failure when the backup does. */
  streamBackup(request: BackupRequest): Promise<{ readonly body: AsyncIterable<Uint8Array> }>
  costs(): Promise<object>
  runLifecycle(target: RepositoryRef | 'all'): Promise<object>
  forecastLifecycle(ref: RepositoryRef): Promise<object>
  /** What advisories there are, and how old. */
  advisoryStatus(): Promise<object>
  importAdvisories(
    from: string,
    choice: { readonly ecosystems?: readonly string[] | undefined; readonly source?: string | undefined },
    onProgress?: OnImportProgress,
  ): Promise<object>
  fetchAdvisories(onProgress?: OnImportProgress): Promise<object>
  signingCertificate(profileArn: string): Promise<object>
  verifyAudit(): Promise<object>
  /** Accounts, root keys, tokens and sessions. */
  administer(command: AdminCommand, parameters: Readonly<Record<string, string>>): Promise<object>
  explainAccess(question: AccessQuestion): Promise<object>
  /** What is in images, and what follows from it. */
  replicate(command: ReplicationCommand, parameters: Readonly<Record<string, string>>): Promise<object>
  inspect(command: ScanCommand, parameters: Readonly<Record<string, string>>): Promise<object>
  /** The log of events, and what became of deliveries. */
  manageEvents(command: EventCommand, parameters: Readonly<Record<string, string>>): Promise<object>
  /** Ends the work beside requests, then closes the stores. */
  close(): Promise<void>
}

/** Opens the stores and composes the application; nothing runs by itself until `start`. */
export type AppFactory = (config: Config, logger: Logger) => Promise<RunningApp>
