import { accountRootArn } from '../domain/arn.ts'
import { invalidParameters } from '../domain/errors.ts'
import { type NamedImage, parseImageName } from '../domain/image-name.ts'
import type { Registry } from '../domain/names.ts'
import { type Principal, rootPrincipal } from '../domain/principal.ts'
import { SBOM_FORMATS, type SbomFormat } from '../domain/sbom/sbom.ts'
import type { Sboms } from './sboms.ts'

/** What an operator can ask about what is in images, by name. */
export const SCAN_COMMANDS = ['sbom/attach', 'sbom/write'] as const
export type ScanCommand = (typeof SCAN_COMMANDS)[number]

/** What a command is given; what it does not know is refused. */
export type ScanParameters = Readonly<Record<string, string>>

const KNOWN: Readonly<Record<ScanCommand, readonly string[]>> = {
  'sbom/attach': ['image', 'format', 'platform'],
  'sbom/write': ['image', 'format', 'platform'],
}

/** The longest that an answer takes. */
const PATIENCE_MS = 15 * 60_000

/** What operators ask and set about the content of images. Who may ask is decided outside. */
export class ScanCommands {
  readonly #sboms: Sboms
  readonly #defaultRegistry: Registry

  constructor(sboms: Sboms, defaultRegistry: Registry) {
    this.#sboms = sboms
    this.#defaultRegistry = defaultRegistry
  }

  /** Throws `invalid-parameter`, and what the asked services throw. */
  async run(command: ScanCommand, parameters: ScanParameters): Promise<object> {
    const unknown = Object.keys(parameters).find((name) => !KNOWN[command].includes(name))
    if (unknown !== undefined) throw invalidParameters(`${command} knows no parameter '${unknown.slice(0, 64)}'.`)
    const signal = AbortSignal.timeout(PATIENCE_MS)
    switch (command) {
      case 'sbom/attach': {
        const request = this.#sbomRequest(parameters)
        return await this.#sboms.attach(ownerOf(request.ref.registry), request, signal)
      }
      case 'sbom/write':
        return await this.#sboms.write(this.#sbomRequest(parameters), signal)
    }
  }

  #sbomRequest(parameters: ScanParameters) {
    const { format = SBOM_FORMATS[0] ?? '', platform } = parameters
    return { ...this.#imageOf(parameters), format: formatOf(format), platform }
  }

  #imageOf({ image = '' }: ScanParameters): NamedImage {
    return parseImageName(image, this.#defaultRegistry)
  }
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
