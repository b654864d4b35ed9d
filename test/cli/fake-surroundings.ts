import type { AppFactory, RunningApp } from '../../src/cli/running-app.ts'
import type { Terminal } from '../../src/cli/terminal.ts'

/** A terminal that remembers what was said. */
export interface FakeTerminal extends Terminal {
  said(): string
  complained(): string
}

export function fakeTerminal(env: Readonly<Record<string, string>> = {}): FakeTerminal {
  let said = ''
  let complained = ''
  return {
    env,
    out: (text) => {
      said += text
    },
    err: (text) => {
      complained += text
    },
    said: () => said,
    complained: () => complained,
  }
}

/** An application that does nothing, and says so. */
export function fakeApp(changes: Partial<RunningApp> = {}): AppFactory {
  return async () => ({
    handle: async () => new Response('hello'),
    firstRootKey: undefined,
    costs: async () => ({ repositories: [] }),
    start: () => {},
    ready: async () => {},
    totals: async () => ({ blobCount: 3, sizeBytes: 5 * 1024 * 1024 }),
    backUp: async (request) => ({ ...request, blobs: 3, faults: [] }),
    streamBackup: () => Promise.reject(new Error('nothing to stream')),
    collectGarbage: async (isDryRun) => ({ isDryRun, deletedBlobs: 2, freedBytes: 2048, tookMs: 5 }),
    runLifecycle: async () => ({ repositories: 0, runs: [] }),
    forecastLifecycle: async ({ name }) => ({ repositoryName: name, images: [] }),
    administer: async (command, parameters) => ({ command, ...parameters }),
    explainAccess: async ({ principal, action, resource, context }) => ({
      principal,
      action,
      resource,
      outcome: 'denied',
      reason: 'Denied with an explicit deny.',
      statements: [
        {
          kind: 'identity',
          policy: 'push',
          statement: '#1',
          effect: 'Deny',
          outcome: `applies to ${JSON.stringify(context)}`,
        },
      ],
    }),
    signingCertificate: async (signingProfileArn) => ({ signingProfileArn, certificate: 'PEM\n' }),
    replicate: async (command, parameters) => ({ command, ...parameters }),
    inspect: async (command, parameters) => ({ command, ...parameters }),
    manageEvents: async (command, parameters) => ({ command, ...parameters }),
    verifyAudit: async () => ({ isIntact: true, records: 3, faults: [] }),
    advisoryStatus: async () => ({ state: 'absent', maximumAgeMs: 0, staleEcosystems: [] }),
    importAdvisories: async (from) => ({ from, isChanged: true }),
    fetchAdvisories: async () => ({ isChanged: false }),
    scrub: async (isDryRun) => ({ isDryRun, checkedBlobs: 3, faults: [] }),
    close: async () => {},
    ...changes,
  })
}
