import { type Foundation, openFoundation, type Surroundings } from './app/foundation.ts'
import { createJobs, type Jobs, type OperatorJobs } from './app/jobs.ts'
import { createMetrics } from './app/metrics.ts'
import { createPlanes } from './app/planes.ts'
import { createServices } from './app/services.ts'
import { withTraces } from './app/traces.ts'
import type { Config } from './config/config.ts'
import { isOperatorRead, OPERATOR_SOURCE, operatorEventName } from './domain/audit/operator-event.ts'
import { systemClock } from './lib/clock.ts'
import { randomIds } from './lib/ids.ts'
import type { Logger } from './lib/logger.ts'
import { workerProgram } from './lib/worker-program.ts'
import type { Handler } from './protocols/http/context.ts'
import type { AdminCommand, AdminParameters } from './services/administration.ts'
import type { RootKey, RootKeys } from './services/credentials/root-keys.ts'
import type { EventCommand, EventParameters } from './services/events/event-commands.ts'
import type { ReplicationCommand, ReplicationParameters } from './services/replication/replication-commands.ts'
import type { ScanCommand, ScanParameters } from './services/scanning/scan-commands.ts'
import { AnalysisWorkers } from './workers/analysis-workers.ts'

/** A registry without its socket. */
export interface App extends OperatorJobs {
  /** Answers every request of every plane. */
  readonly handle: Handler
  /** The root key that was made because there was none: to be shown to the operator, once. */
  readonly firstRootKey: RootKey | undefined
  /** Accounts, root keys, tokens and sessions. */
  administer(command: AdminCommand, parameters: AdminParameters): Promise<object>
  /** Copies of images in other registries. */
  replicate(command: ReplicationCommand, parameters: ReplicationParameters): Promise<object>
  /** What is in images, and what follows from it. */
  inspect(command: ScanCommand, parameters: ScanParameters): Promise<object>
  /** The log of events, and what became of deliveries. */
  manageEvents(command: EventCommand, parameters: EventParameters): Promise<object>
  /** Begins what goes on beside requests: scheduled garbage collection, lifecycle policies, signatures, scans. */
  start(): void
  /** Throws when the registry cannot serve. */
  ready(): Promise<void>
  /** Ends the jobs and closes the stores. To be called once nothing is in flight. */
  close(): Promise<void>
}

/** Puts a registry together from its configuration: stores, then services, then jobs, then planes; each by its file in `app/`. */
export async function createApp(
  config: Config,
  logger: Logger,
  world: Surroundings = { clock: systemClock, ids: randomIds },
): Promise<App> {
  const foundation: Foundation = await openFoundation(config, logger, world)
  const analyser = new AnalysisWorkers({
    workerUrl: workerProgram('workers/analysis-worker.ts'),
    isBusy: () => services.traffic.isBusy,
  })
  // Services ring for jobs, and jobs act through services.
  const services = createServices(foundation, analyser, {
    previewAsked: () => jobs.bells.previewAsked(),
    replicationAsked: () => jobs.bells.replicationAsked(),
    signingAsked: () => jobs.bells.signingAsked(),
    scanAsked: () => jobs.bells.scanAsked(),
    advisoriesPushed: () => jobs.bells.advisoriesPushed(),
    eventRulesChanged: () => jobs.bells.eventRulesChanged(),
  })
  const jobs: Jobs = createJobs(foundation, services)
  const metrics = createMetrics(foundation, services, jobs)
  const traces = await withTraces(createPlanes(foundation, services, jobs, metrics), foundation)
  return {
    ...jobs.byOperator,
    firstRootKey: await prepareRootKey(config, services.rootKeys),
    administer: async (command, parameters) => {
      const done = await services.administration.run(command, parameters)
      tellOfAdministration(foundation, command, parameters)
      return done
    },
    replicate: (command, parameters) => services.replicationCommands.run(command, parameters),
    inspect: (command, parameters) => services.scanCommands.run(command, parameters),
    manageEvents: (command, parameters) => services.eventCommands.run(command, parameters),
    handle: traces.handle,
    start: () => jobs.start(),
    ready: () => foundation.checkReady(),
    async close() {
      await jobs.close()
      await metrics.close()
      await traces.close()
      analyser.close()
      await services.pulls.flush()
      await services.pullEvents?.flush()
      await services.keyUses.flush()
      await services.metricCounts.flush()
      await foundation.auditLog?.close()
      await foundation.metadata.close()
      await foundation.blobs.close()
    },
  }
}

/** Nobody signs what is done on the data directory itself, but it is written down. */
function tellOfAdministration({ audit, clock, config }: Foundation, command: AdminCommand, details: AdminParameters) {
  const { registryId: accountId, region } = config.defaultRegistry
  const name = `admin/${command}`
  audit.recordServiceEvent({
    ...{ at: clock.now(), accountId, region, resources: [], details },
    ...{ eventSource: OPERATOR_SOURCE, eventName: operatorEventName(name), isReadOnly: isOperatorRead(name) },
  })
}

/** The server profile knows no caller without a key, so it always has one. */
async function prepareRootKey({ profile, rootKey }: Config, rootKeys: RootKeys): Promise<RootKey | undefined> {
  if (rootKey !== undefined) await rootKeys.put(rootKey)
  else if (profile === 'server') return rootKeys.makeFirst()
  return undefined
}
