import type { ManifestContent } from './content.ts'
import { ConnectionLost, Violation, type Wire } from './wire.ts'

/** Beside the repositories that histories are searched for: runs of a lifecycle policy are no calls that happen at one moment. */
export const EXPIRING = 'torture/expiring'

const KEPT = 5
const POLICY = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'tagged', tagPrefixList: ['n'], countType: 'imageCountMoreThan', countNumber: KEPT },
      action: { type: 'expire' },
    },
  ],
})

/**
 * Images pushed one after the other, `n1`, `n2` and so on, under a policy that keeps the newest few and is executed all the
 * while. Whenever it ends: what is left are the newest without a gap, as many as are to be kept at least, and all whole.
 */
export class ExpiringImages {
  readonly #template: ManifestContent
  /** The newest that was answered to be there. */
  #promised = 0
  isStopped = false

  /** Pushes variations of an image. */
  constructor(template: ManifestContent) {
    this.#template = template
  }

  /** Repository, layers and policy. */
  async prepare(wire: Wire, bytesOf: (blob: string) => Uint8Array): Promise<void> {
    await succeed(wire, 'CreateRepository', {})
    for (const blob of this.#template.blobs) {
      const { status } = await wire.oci('POST', `${EXPIRING}/blobs/uploads/?digest=${blob}`, { body: bytesOf(blob) })
      if (status !== 201) throw new Violation(`a layer of ${EXPIRING} is answered ${status}`)
    }
    await succeed(wire, 'PutLifecyclePolicy', { lifecyclePolicyText: POLICY })
  }

  /** Pushes and executes until it is stopped or the server dies. */
  async run(wire: Wire): Promise<void> {
    this.isStopped = false
    await Promise.all([this.#whileUp(() => this.#push(wire)), this.#whileUp(() => this.#execute(wire))])
  }

  /** To be asked when nobody pushes or executes. */
  async check(wire: Wire): Promise<void> {
    const { error, output } = await wire.ecr('ListImages', { repositoryName: EXPIRING, maxResults: 1000 })
    const ids = (output.imageIds ?? []) as readonly { readonly imageTag?: string }[]
    const numbers = ids.map(({ imageTag = 'untagged' }) => Number(imageTag.slice(1))).sort((a, b) => a - b)
    const newest = numbers.at(-1) ?? 0
    const found = `${EXPIRING} holds ${JSON.stringify(numbers)} after a push of n${this.#promised} was answered ${error ?? ''}`
    if (newest !== this.#promised && newest !== this.#promised + 1) throw new Violation(found)
    if (numbers.some((number, at) => number !== newest - numbers.length + 1 + at)) throw new Violation(found)
    if (numbers.length < Math.min(KEPT, newest)) throw new Violation(found)
    for (const number of numbers) {
      const { status, bytes } = await wire.oci('GET', `${EXPIRING}/manifests/n${number}`)
      if (status !== 200 || bytes.toString() !== this.#manifest(number))
        throw new Violation(`n${number} of ${EXPIRING} is pulled as ${status}`)
    }
    this.#promised = newest
  }

  async #whileUp(step: () => Promise<void>): Promise<void> {
    try {
      while (!this.isStopped) await step()
    } catch (thrown) {
      if (!(thrown instanceof ConnectionLost)) throw thrown
    }
  }

  async #push(wire: Wire): Promise<void> {
    const number = this.#promised + 1
    await succeed(wire, 'PutImage', { imageManifest: this.#manifest(number), imageTag: `n${number}` })
    this.#promised = number
  }

  async #execute(wire: Wire): Promise<void> {
    const { status, bytes } = await wire.own('POST', `lifecycle/run?repository=${EXPIRING}`)
    if (status !== 200) throw new Violation(`a run of the lifecycle policy answers ${status} ${bytes}`)
  }

  #manifest(number: number): string {
    const document = JSON.parse(Buffer.from(this.#template.bytes).toString()) as object
    return JSON.stringify({ ...document, annotations: { number: String(number) } })
  }
}

async function succeed(wire: Wire, operation: string, input: object): Promise<void> {
  const { error, output } = await wire.ecr(operation, { repositoryName: EXPIRING, ...input })
  if (error !== undefined) throw new Violation(`${operation} in ${EXPIRING} answers ${error} ${output.message}`)
}
