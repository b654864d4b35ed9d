import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BUNDLE_ARTIFACT_TYPE } from '../../domain/advisories/bundle.ts'
import { parseDigest } from '../../domain/digest.ts'
import { invalidParameters } from '../../domain/errors.ts'
import type { ImageReference } from '../../domain/image.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { ImportProgress, ImportReport } from '../../stores/advisories.ts'
import type { Images } from '../images/images.ts'
import type { Layers } from '../images/layers.ts'
import type { Advisories } from './advisories.ts'

const TITLE = 'org.opencontainers.image.title'
/** `Debian/all.zip`, `kev.json`: the layout of a bucket, one folder deep at most. */
const FILE = /^(?:[\w .-]*\w\/)?[\w.:-]*\w\.(?:zip|json|json\.gz)$/
const LAYERS_MAX = 1_000

/** Advisories that come as an artifact in a repository of this registry: how they reach one that reaches nobody. */
export class AdvisoryBundles {
  readonly #images: Images
  readonly #layers: Layers
  readonly #advisories: Advisories

  constructor(images: Images, layers: Layers, advisories: Advisories) {
    this.#images = images
    this.#layers = layers
    this.#advisories = advisories
  }

  /**
   * Imports the layers of an artifact, each under its title, as if they lay in a directory. The caller may read the
   * repository; whoever may push to it decides what scans find, so it should be the owner's alone. Throws
   * `invalid-parameter` when it is no such artifact, and what pulling it and `Advisories.import` throw.
   */
  async importBundle(
    principal: Principal,
    ref: RepositoryRef,
    reference: ImageReference,
    onProgress?: (progress: ImportProgress) => void,
  ): Promise<ImportReport> {
    const files = filesOf((await this.#images.pull(principal, ref, reference)).manifest)
    const directory = await mkdtemp(join(tmpdir(), 'ecru-bundle-'))
    try {
      for (const { title, digest } of files) {
        const { read } = await this.#layers.open(principal, ref, parseDigest(digest))
        const path = join(directory, title)
        await mkdir(dirname(path), { recursive: true })
        const body = await read()
        const stream = body instanceof Blob ? body.stream() : body
        await pipeline(Readable.from(stream), createWriteStream(path, { flags: 'wx' }))
      }
      return await this.#advisories.import({ from: directory }, onProgress)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  }
}

interface BundleFile {
  readonly title: string
  readonly digest: string
}

interface WireManifest {
  readonly artifactType?: unknown
  readonly layers?: readonly { readonly digest?: unknown; readonly annotations?: Readonly<Record<string, unknown>> }[]
}

/** The manifest was checked when it was pushed. */
function filesOf(manifest: Uint8Array): readonly BundleFile[] {
  const { artifactType, layers = [] } = JSON.parse(new TextDecoder().decode(manifest)) as WireManifest
  if (artifactType !== BUNDLE_ARTIFACT_TYPE)
    throw invalidParameters(`The artifact is not of type ${BUNDLE_ARTIFACT_TYPE}, so it holds no advisories.`)
  if (layers.length > LAYERS_MAX) throw invalidParameters(`A bundle of advisories has ${LAYERS_MAX} layers at most.`)
  const files = layers.map(({ digest, annotations }) => ({ title: annotations?.[TITLE], digest }))
  const titles = new Set<string>()
  return files.map(({ title, digest }) => {
    if (typeof title !== 'string' || typeof digest !== 'string' || !FILE.test(title) || title.startsWith('.'))
      throw invalidParameters(`Each layer of a bundle has a title such as Debian/all.zip (${TITLE}).`)
    if (titles.has(title)) throw invalidParameters(`The bundle has two layers that are called ${title.slice(0, 100)}.`)
    titles.add(title)
    return { title, digest }
  })
}
