import { invalidParameters } from '../../domain/errors.ts'
import type { NamedImage } from '../../domain/image-name.ts'
import type { Principal } from '../../domain/principal.ts'
import { nameIn, severityIn } from '../../domain/scanning/finding-lists.ts'
import type { FindingsReport, ReportedFinding } from '../../domain/scanning/report.ts'
import type { ImageFinding, ScanFindings, ScanView } from './scan-findings.ts'

const PAGE = 1_000

/** All that a scan has found, as one document for people and tools. */
export class FindingsReports {
  readonly #findings: ScanFindings

  constructor(findings: ScanFindings) {
    this.#findings = findings
  }

  /** Throws what `ScanFindings.describe` throws; findings that change meanwhile are read from the beginning. */
  async report(principal: Principal, { ref, reference }: NamedImage): Promise<FindingsReport> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const report = await this.#read(principal, { ref, reference })
      if (report !== undefined) return report
    }
    throw invalidParameters('The findings change faster than they can be read. Try again.')
  }

  async #read(principal: Principal, { ref, reference }: NamedImage): Promise<FindingsReport | undefined> {
    const describe = (token?: string) => this.#findings.describe(principal, ref, reference, { limit: PAGE, token })
    const first = await describe()
    const all: ImageFinding[] = [...(first.result?.findings ?? [])]
    for (let token = first.result?.nextToken; token !== undefined; ) {
      const next: ScanView | undefined = await describe(token).catch((thrown: unknown) => {
        if (thrown instanceof Error && thrown.message.includes('have changed')) return undefined
        throw thrown
      })
      if (next === undefined) return undefined
      all.push(...(next.result?.findings ?? []))
      token = next.result?.nextToken
    }
    const { type, image, state, result } = first
    return {
      repository: ref.name,
      registryId: ref.registry.registryId,
      digest: image.digest,
      scanType: type,
      status: state.status,
      description: state.description,
      completedAt: result?.completedAt,
      sourceUpdatedAt: result?.sourceUpdatedAt,
      counts: result?.counts ?? {},
      findings: all.map((one) => reported(type, one)),
    }
  }
}

const ATTEMPTS_MAX = 3

function reported(type: ScanView['type'], { finding, image }: ImageFinding): ReportedFinding {
  const { package: found } = finding
  return {
    id: finding.id,
    aliases: finding.aliases,
    severity: severityIn(type, finding),
    packageName: nameIn(type, finding),
    packageType: found.type,
    purl: found.purl,
    filePath: found.filePath,
    layerDigest: found.layerDigest,
    installedVersion: finding.installedVersion,
    fixedVersions: finding.fixedVersions,
    title: finding.title,
    description: finding.description,
    url: finding.url,
    cvss: finding.cvss.map(({ version, vector, baseScore, source }) => ({ version, vector, baseScore, source })),
    isExploitAvailable: finding.isExploitAvailable,
    firstObservedAt: finding.firstObservedAt,
    imageDigest: image.digest,
    status: finding.status,
  }
}
