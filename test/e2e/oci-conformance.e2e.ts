import { describe, expect } from 'bun:test'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { client, testWith } from '../support/clients/client-test.ts'
import { attempt } from '../support/clients/run-command.ts'
import { openStage } from '../support/clients/stage.ts'
import { type ReportedTest, readJunit, writeJunit } from '../support/junit.ts'
import { expectedSkips, notAsked } from './oci-conformance-skips.ts'

const test = testWith('oci-conformance')

/** What the suite can ask for and does not ask for by itself: everything but OCI_DATA_SPARSE, see `notAsked`. */
const EVERY_OPTION = {
  OCI_VERSION: '1.1',
  OCI_API_BLOBS_DIGEST_HEADER: 'true',
  OCI_API_BLOBS_UPLOAD_CANCEL: 'true',
  OCI_API_MANIFESTS_DIGEST_HEADER: 'true',
  OCI_API_MANIFESTS_TAG_PARAM: 'true',
}

describe('the conformance suite of the OCI distribution specification', () => {
  for (const store of ['filesystem', 'memory'] as const) {
    test(`every test passes on the ${store} store, but for the skips that are expected`, async () => {
      const results = await runSuite(store === 'memory')
      if (process.env.ECRU_CI_RESULTS !== undefined) {
        const report = join(process.env.ECRU_CI_RESULTS, `oci-conformance-${store}.xml`)
        await writeFile(report, writeJunit('suite', [...results.map(withReason), ...notAsked]))
      }
      const named = (outcome: ReportedTest['outcome']) => results.filter((each) => each.outcome === outcome)
      expect(named('failed').map(({ name, reason }) => `${name}: ${reason}`)).toEqual([])
      expect(
        named('skipped')
          .map(({ name }) => name)
          .toSorted(),
      ).toEqual(Object.keys(expectedSkips).toSorted())
      expect(named('passed').length).toBeGreaterThan(750)
    })
  }
})

/** Runs the whole suite, logged in, against an Ecru of its own, and answers its tests by the names it gives them. */
async function runSuite(memory: boolean): Promise<readonly ReportedTest[]> {
  const stage = await openStage({ memory, repositories: ['conformance/one', 'conformance/two'] })
  try {
    const { exitCode, stdout, stderr } = await attempt([client('oci-conformance')], {
      cwd: stage.dir,
      env: {
        ...EVERY_OPTION,
        OCI_REGISTRY: stage.host,
        OCI_TLS: 'disabled',
        OCI_REPO1: 'conformance/one',
        OCI_REPO2: 'conformance/two',
        OCI_USERNAME: 'AWS',
        OCI_PASSWORD: stage.password,
        OCI_RESULTS_DIR: stage.path('results'),
      },
      timeoutMs: 200_000,
    })
    const report = Bun.file(stage.path('results/junit.xml'))
    if (!(await report.exists()))
      throw new Error(`the suite ended with ${exitCode} and no report\n${stdout}\n${stderr}`)
    const tests = readJunit(await readFile(stage.path('results/junit.xml'), 'utf8'))
    return tests.map((each) => ({ ...each, name: each.name.replace(/^.*> OCI Conformance Test\/?/, '') }))
  } finally {
    await stage.close()
  }
}

function withReason(result: ReportedTest): ReportedTest {
  return result.outcome === 'skipped' ? { ...result, reason: expectedSkips[result.name] ?? result.reason } : result
}
