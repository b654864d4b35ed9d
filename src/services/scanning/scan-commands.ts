import { ADMISSION_SEVERITIES, type ExemptDigest } from '../../domain/admission/rule.ts'
import { accountRootArn } from '../../domain/arn.ts'
import { parseDigest } from '../../domain/digest.ts'
import { invalidParameters } from '../../domain/errors.ts'
import { type NamedImage, parseImageName } from '../../domain/image-name.ts'
import { parseRegion, parseRegistryId, parseRepositoryName, type Registry } from '../../domain/names.ts'
import { type Principal, rootPrincipal } from '../../domain/principal.ts'
import { SBOM_FORMATS, type SbomFormat } from '../../domain/sbom/sbom.ts'
import type { AdmissionRules } from '../images/admission-rules.ts'
import type { FindingsReports } from './findings-reports.ts'
import type { Sboms } from './sboms.ts'
import type { SuppressionRules } from './suppression-rules.ts'

/** What is in images and what follows from it: what each command of operators takes. */
const PARAMETERS = {
  'admission/list': [],
  'admission/remove': ['repositories'],
  'admission/set': [
    'repositories',
    'severity',
    'ignore-unfixed',
    'max-age-seconds',
    'dry-run',
    'exempt-principals',
    'exempt-images',
  ],
  'admission/show': ['repository'],
  findings: ['image'],
  'sbom/attach': ['image', 'format', 'platform'],
  'sbom/write': ['image', 'format', 'platform'],
  'suppressions/add': ['vulnerability', 'repository', 'package', 'reason', 'until'],
  'suppressions/list': [],
  'suppressions/remove': ['id'],
} as const

export type ScanCommand = keyof typeof PARAMETERS
export const SCAN_COMMANDS = Object.keys(PARAMETERS) as readonly ScanCommand[]

/** What a command is given; what it does not know is refused. `account` and `region` name a registry, for all of them. */
export type ScanParameters = Readonly<Record<string, string>>

const ALWAYS: readonly string[] = ['account', 'region']

/** The longest that an answer takes. */
const PATIENCE_MS = 15 * 60_000

export interface ScanCommandServices {
  readonly admissionRules: AdmissionRules
  readonly findingsReports: FindingsReports
  readonly sboms: Sboms
  readonly suppressionRules: SuppressionRules
}

/** What operators ask and set about the content of images. Who may ask is decided outside. */
export class ScanCommands {
  readonly #services: ScanCommandServices
  readonly #defaultRegistry: Registry

  constructor(services: ScanCommandServices, defaultRegistry: Registry) {
    this.#services = services
    this.#defaultRegistry = defaultRegistry
  }

  /** Throws `invalid-parameter`, and what the asked services throw. */
  async run(command: ScanCommand, parameters: ScanParameters): Promise<object> {
    const known: readonly string[] = [...PARAMETERS[command], ...ALWAYS]
    const unknown = Object.keys(parameters).find((name) => !known.includes(name))
    if (unknown !== undefined) throw invalidParameters(`${command} knows no parameter '${unknown.slice(0, 64)}'.`)
    const { account, region } = parameters
    const registry: Registry = {
      registryId: account === undefined ? this.#defaultRegistry.registryId : parseRegistryId(account),
      region: region === undefined ? this.#defaultRegistry.region : parseRegion(region),
    }
    switch (command) {
      case 'findings': {
        const image = imageOf(parameters, registry)
        return await this.#services.findingsReports.report(ownerOf(image.ref.registry), image)
      }
      case 'sbom/attach':
      case 'sbom/write':
        return await this.#sbom(command, parameters, registry)
      case 'admission/list':
      case 'admission/remove':
      case 'admission/set':
      case 'admission/show':
        return await this.#admission(command, parameters, registry)
      case 'suppressions/add':
      case 'suppressions/list':
      case 'suppressions/remove':
        return await this.#suppressions(command, parameters, registry)
    }
  }

  async #sbom(command: 'sbom/attach' | 'sbom/write', parameters: ScanParameters, registry: Registry): Promise<object> {
    const { format = SBOM_FORMATS[0] ?? '', platform } = parameters
    const request = { ...imageOf(parameters, registry), format: formatOf(format), platform }
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const { sboms } = this.#services
    return command === 'sbom/write'
      ? await sboms.write(request, signal)
      : await sboms.attach(ownerOf(request.ref.registry), request, signal)
  }

  async #admission(
    command: Extract<ScanCommand, `admission/${string}`>,
    parameters: ScanParameters,
    registry: Registry,
  ): Promise<object> {
    const { admissionRules } = this.#services
    const { repositories = '' } = parameters
    switch (command) {
      case 'admission/list':
        return { rules: await admissionRules.list(registry) }
      case 'admission/show': {
        const rule = await admissionRules.findFor(registry, parseRepositoryName(parameters.repository ?? ''))
        return rule === undefined ? { rules: [] } : { rules: [rule] }
      }
      case 'admission/remove':
        if (!(await admissionRules.remove(registry, repositories)))
          throw invalidParameters(`There is no rule for '${repositories.slice(0, 128)}'.`)
        return { repositories, removed: true }
      case 'admission/set':
        return await admissionRules.set(registry, {
          repositories,
          severity: oneOf(ADMISSION_SEVERITIES, 'severity', parameters.severity),
          ignoresUnfixed: switchOf('ignore-unfixed', parameters),
          ageMsMax: secondsOf('max-age-seconds', parameters),
          isDryRun: switchOf('dry-run', parameters),
          exemptPrincipals: wordsOf(parameters['exempt-principals']),
          exemptDigests: wordsOf(parameters['exempt-images']).map(exemptDigest),
        })
    }
  }

  async #suppressions(
    command: Extract<ScanCommand, `suppressions/${string}`>,
    { id = '', vulnerability = '', repository, package: packageName, reason = '', until }: ScanParameters,
    registry: Registry,
  ): Promise<object> {
    const { suppressionRules } = this.#services
    switch (command) {
      case 'suppressions/list':
        return { suppressions: await suppressionRules.list(registry) }
      case 'suppressions/remove':
        if (!(await suppressionRules.remove(registry, id)))
          throw invalidParameters(`There is no suppression '${id.slice(0, 64)}'.`)
        return { id, removed: true }
      case 'suppressions/add':
        return await suppressionRules.add(registry, {
          vulnerability,
          repositoryName: repository,
          packageName,
          reason,
          createdBy: accountRootArn(registry),
          expiresAt: until === undefined ? undefined : momentOf(until),
        })
    }
  }
}

function imageOf({ image = '' }: ScanParameters, registry: Registry): NamedImage {
  return parseImageName(image, registry)
}

/** Operators act for the owner of the registry. */
function ownerOf(registry: Registry): Principal {
  return rootPrincipal(registry.registryId, accountRootArn(registry), '')
}

/** `cyclonedx` and `spdx` mean the latest version that is written. */
function formatOf(text: string): SbomFormat {
  const format = SBOM_FORMATS.find((one) => one === text || one.startsWith(`${text}-`))
  if (format === undefined) throw invalidParameters(`A format is one of ${SBOM_FORMATS.join(', ')}.`)
  return format
}

function oneOf<Word extends string>(words: readonly Word[], name: string, text: string | undefined): Word | undefined {
  if (text === undefined) return undefined
  const word = words.find((one) => one === text.toUpperCase())
  if (word === undefined) throw invalidParameters(`${name} is one of ${words.join(', ')}.`)
  return word
}

function switchOf(name: string, parameters: ScanParameters): boolean {
  const text = parameters[name] ?? 'false'
  if (text !== 'true' && text !== 'false') throw invalidParameters(`${name} is true or false.`)
  return text === 'true'
}

function secondsOf(name: string, parameters: ScanParameters): number | undefined {
  const text = parameters[name]
  if (text === undefined) return undefined
  if (!/^\d{1,10}$/.test(text)) throw invalidParameters(`${name} is a number of seconds.`)
  return Number(text) * 1000
}

function wordsOf(text = ''): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

/** `sha256:…`, or `sha256:…=2027-01-31`. */
function exemptDigest(text: string): ExemptDigest {
  const at = text.indexOf('=')
  if (at < 0) return { digest: parseDigest(text) }
  return { digest: parseDigest(text.slice(0, at)), until: momentOf(text.slice(at + 1)) }
}

function momentOf(text: string): Date {
  const moment = new Date(text)
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(moment.getTime()))
    throw invalidParameters(`'${text.slice(0, 64)}' is no date such as 2027-01-31 or 2027-01-31T12:00:00Z.`)
  return moment
}
