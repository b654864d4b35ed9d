import type { AccessQuestion } from '../../domain/iam/access-report.ts'
import type { Registry, RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { ResetReport, ResetScope } from '../../domain/reset-scope.ts'
import type { Logger } from '../../lib/logger.ts'
import type { VirtualClock } from '../../lib/virtual-clock.ts'
import type { AdminCommand, AdminParameters } from '../../services/administration.ts'
import type { EventCommand, EventParameters } from '../../services/events/event-commands.ts'
import type { ReplicationCommand, ReplicationParameters } from '../../services/replication/replication-commands.ts'
import type { ScanCommand, ScanParameters } from '../../services/scanning/scan-commands.ts'
import type { AwsSetting } from '../aws/context.ts'
import type { RequestContext } from '../http/context.ts'

/** What the process says of itself; nothing of it is secret. */
export interface Facts {
  readonly version: string
  readonly profile: 'dev' | 'server'
  readonly fidelity: 'oci' | 'aws'
  readonly storage: 'directory' | 'memory'
  readonly startedAt: Date
}

/** What tests of a pipeline ask of a registry, and no registry that others depend on has. */
export interface DevTools {
  /** The clock of everything but signatures. */
  readonly clock: Pick<VirtualClock, 'now' | 'offsetMs' | 'advance'>
  /** The clock was moved: does what has become due, and answers when it is done. */
  catchUp(): Promise<void>
  reset(scope: ResetScope): Promise<ResetReport>
}

/** The page of metrics, and who may read it beside operators. */
export interface Scrapes {
  readonly token: string | undefined
  print(): Promise<string>
}

interface BackupRequest {
  readonly includesKeys: boolean
  readonly includesAdvisories: boolean
}

interface BackupOrder extends BackupRequest {
  readonly to: string
  readonly keep?: number | undefined
  readonly isThorough: boolean
}

export interface OperatorServices {
  readonly facts: Facts
  readonly setting: AwsSetting
  readonly logger: Logger
  /** Meant where an operator names no other. */
  readonly defaultRegistry: Registry
  readonly devTools: DevTools
  /** Throws when the registry cannot serve, with the reason. */
  checkReady(): Promise<void>
  readonly scrapes: Scrapes
  totals(): Promise<{ readonly blobCount: number; readonly sizeBytes: number }>
  collectGarbage(isDryRun: boolean): Promise<object>
  scrub(isDryRun: boolean): Promise<object>
  /** Everything, into a directory or an archive of this machine. */
  backUp(order: BackupOrder): Promise<object>
  /** The same as an archive, read as it is made; it ends with a failure when the backup does. */
  streamBackup(request: BackupRequest): Promise<{ readonly body: AsyncGenerator<Uint8Array, void, void> }>
  /** What the storage costs. */
  costs(): Promise<object>
  runLifecycle(target: RepositoryRef | 'all'): Promise<object>
  forecastLifecycle(ref: RepositoryRef): Promise<object>
  advisoryStatus(): Promise<object>
  importAdvisories(
    from: string,
    choice: { readonly ecosystems?: readonly string[] | undefined; readonly source?: string | undefined },
  ): Promise<object>
  fetchAdvisories(): Promise<object>
  signingCertificate(profileArn: string): Promise<object>
  verifyAudit(): Promise<object>
  /** Accounts, root keys, tokens and sessions. */
  administer(command: AdminCommand, parameters: AdminParameters): Promise<object>
  explainAccess(question: AccessQuestion): Promise<object>
  /** Copies of images in other registries. */
  replicate(command: ReplicationCommand, parameters: ReplicationParameters): Promise<object>
  /** What is in images, and what follows from it. */
  inspect(command: ScanCommand, parameters: ScanParameters): Promise<object>
  /** The log of events, and what became of deliveries. */
  manageEvents(command: EventCommand, parameters: EventParameters): Promise<object>
}

/** Who asked, as far as it is known when the request has ended. */
export interface Asked {
  /** Absent: nobody who is known. */
  principal?: Principal
  /** It came without a signature and needed none: a program on this machine, in the dev profile. */
  isTrusted?: boolean
}

/** The same for one request, whose answer also says who asked. */
export interface RoutedServices extends OperatorServices {
  readonly asked: Asked
}

/** Answers one route of the operator's plane. */
export type Route = (request: Request, context: RequestContext, services: RoutedServices) => Promise<Response>

/** Routes by method and path. */
export type Routes = Readonly<Record<string, Route>>

/** A web page can send requests to this machine, but not without saying so. */
export function isFromBrowser(request: Request): boolean {
  return request.headers.has('origin') || request.headers.has('sec-fetch-site')
}
