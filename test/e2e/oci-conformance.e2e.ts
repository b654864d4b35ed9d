import { describe, expect } from 'bun:test'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { client, testWith } from '../support/clients/client-test.ts'
import { attempt } from '../support/clients/run-command.ts'
import { openStage } from '../support/clients/stage.ts'
import { type ReportedTest, readJunit, writeJunit } from '../support/junit.ts'
import { expectedSkips } from './oci-conformance-skips.ts'

const test = testWith('oci-conformance')

/** Everything that the suite can ask for and does not ask for by itself. */
const EVERY_OPTION = {
  OCI_VERSION: '1.1',
  OCI_API_BLOBS_DIGEST_HEADER: 'true',
  OCI_API_BLOBS_UPLOAD_CANCEL: 'true',
  OCI_API_MANIFESTS_DIGEST_HEADER: 'true',
  OCI_API_MANIFESTS_TAG_PARAM: 'true',
}

interface Run {
  readonly memory: boolean
  /** OCI allows an image whose blobs were never pushed; ECR refuses it, and so does Ecru unless its operator chooses otherwise. */
  readonly sparseImages: boolean
}

const RUNS: Readonly<Record<string, Run>> = {
  filesystem: { memory: false, sparseImages: true },
  memory: { memory: true, sparseImages: true },
  'filesystem-strict': { memory: false, sparseImages: false },
}

describe('the conformance suite of the OCI distribution specification', () => {
  for (const [name, options] of Object.entries(RUNS)) {
    test(`every test passes (${name}), but for the skips that are expected`, async () => {
      const results = await runSuite(options)
      if (process.env.CI_RESULTS !== undefined) {
        const report = join(process.env.CI_RESULTS, `oci-conformance-${name}.xml`)
        await writeFile(report, writeJunit('suite', results.map(withReason)))
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
async function runSuite({ memory, sparseImages }: Run): Promise<readonly ReportedTest[]> {
  const stage = await openStage({
    memory,
    env: { ECRU_SPARSE_IMAGES: String(sparseImages) },
    repositories: ['conformance/one', 'conformance/two'],
  })
  try {
    const { exitCode, stdout, stderr } = await attempt([client('oci-conformance')], {
      cwd: stage.dir,
      env: {
        ...EVERY_OPTION,
        OCI_DATA_SPARSE: String(sparseImages),
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
