import { imageScan, inspectorScan, scanFrequencyChange } from '../../domain/events.ts'
import type { Registry, RepositoryName } from '../../domain/names.ts'
import type { Repository } from '../../domain/repository.ts'
import { type ScanConfiguration, type ScanFrequency, scanningOf } from '../../domain/scanning/configuration.ts'
import type { MetadataWriter } from '../../stores/metadata.ts'
import type { KeptResult, PendingScan } from '../../stores/scans.ts'

// What is told of scans, in the transaction that records them.

/** A scan that was asked for has ended; of enhanced ones only the first of an image is told. */
export async function tellScan(
  tx: MetadataWriter,
  { type, image, repository }: Pick<PendingScan, 'type' | 'image' | 'repository'>,
  isFirst: boolean,
  { counts, failure, completedAt }: KeptResult,
): Promise<void> {
  if (type === 'ENHANCED' && (!isFirst || failure !== undefined)) return
  const tags = await tx.images.tagsOf(image.id)
  const status = failure === undefined ? 'COMPLETE' : 'FAILED'
  await tx.outbox.append(
    type === 'BASIC'
      ? imageScan(repository, image.digest, tags, status, counts, completedAt)
      : inspectorScan(repository, image.digest, tags, counts, completedAt),
  )
}

const STEP = 500

/** Repositories are scanned by enhanced scanning otherwise than before; one event for some hundred of them. */
export async function tellConfiguration(
  tx: MetadataWriter,
  registry: Registry,
  before: ScanConfiguration,
  after: ScanConfiguration,
  at: Date,
): Promise<void> {
  if (before.type !== 'ENHANCED' && after.type !== 'ENHANCED') return
  let name: RepositoryName | undefined
  for (;;) {
    const page = await tx.repositories.list(registry, { after: name, limit: STEP })
    const changes = page.flatMap((repository) => changeOf(repository, before, after))
    if (changes.length > 0) await tx.outbox.append(scanFrequencyChange(registry, changes, at))
    name = page.at(-1)?.name
    if (page.length < STEP) return
  }
}

interface FrequencyChange {
  readonly ref: Repository
  readonly frequency: ScanFrequency
  readonly previous: ScanFrequency
}

function changeOf(ref: Repository, before: ScanConfiguration, after: ScanConfiguration): readonly FrequencyChange[] {
  const [previous, frequency] = [before, after].map((configuration) => scanningOf(configuration, ref).frequency)
  if (previous === undefined || frequency === undefined || previous === frequency) return []
  return [{ ref, frequency, previous }]
}
