import type { Digest } from '../../domain/digest.ts'
import type { BlobAddress, Vault } from '../../domain/vault.ts'
import type { StoredBlob } from '../metadata.ts'
import type { Database } from './schema/database.ts'

// Several statements each: the caller sees to one state. `eb.lit` lets an index over a part of the rows be chosen.

/** Marked blobs, then those that no repository links and nobody touched since `before`. */
export async function listDead(db: Database, before: number, limit: number): Promise<readonly StoredBlob[]> {
  const blobs = () => db.selectFrom('blobs').select(['digest', 'vault', 'size_bytes']).orderBy('touched_at')
  const marked = await blobs()
    .where('is_marked', '=', (eb) => eb.lit(1))
    .limit(limit)
    .execute()
  const dead = await blobs()
    .where('link_count', '=', (eb) => eb.lit(0))
    .where('is_marked', '=', (eb) => eb.lit(0))
    .where('touched_at', '<', before)
    .limit(limit - marked.length)
    .execute()
  return [...marked, ...dead].map((row) => ({
    digest: row.digest as Digest,
    vault: row.vault as Vault,
    sizeBytes: row.size_bytes,
  }))
}

/** What a sweep could free: unused links, and blobs that are dead or would be without those links. */
export async function countFreeable(
  db: Database,
  before: number,
): Promise<{ readonly linkCount: number; readonly blobCount: number; readonly sizeBytes: number }> {
  const links = await db
    .selectFrom('repository_blobs')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('unused_since', '<', before)
    .executeTakeFirstOrThrow()
  const sums = await db
    .selectFrom((eb) =>
      eb
        .selectFrom('blobs')
        .select('size_bytes')
        .where('link_count', '=', (eb) => eb.lit(0))
        .where((eb) => eb.or([eb('is_marked', '=', 1), eb('touched_at', '<', before)]))
        .unionAll(
          eb
            .selectFrom('repository_blobs as link')
            .innerJoin('blobs as blob', (join) =>
              join.onRef('blob.digest', '=', 'link.digest').onRef('blob.vault', '=', 'link.vault'),
            )
            .select('blob.size_bytes')
            .where('link.unused_since', '<', before)
            .where('blob.touched_at', '<', before)
            .groupBy(['blob.digest', 'blob.vault', 'blob.size_bytes', 'blob.link_count'])
            .having((eb) => eb(eb.fn.countAll(), '=', eb.ref('blob.link_count'))),
        )
        .as('freeable'),
    )
    .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.sum<number | null>('size_bytes').as('size_bytes')])
    .executeTakeFirstOrThrow()
  return { linkCount: Number(links.count), blobCount: Number(sums.count), sizeBytes: Number(sums.size_bytes ?? 0) }
}

/** Forgets a marked blob, and what was found in it; all of that when the same bytes lie in no other vault. */
export async function forgetMarked(db: Database, { digest, vault }: BlobAddress): Promise<void> {
  const forgotten = await db
    .deleteFrom('blobs')
    .where('digest', '=', digest)
    .where('vault', '=', vault)
    .where('is_marked', '=', 1)
    .returning('digest')
    .execute()
  if (forgotten.length === 0) return
  await db
    .deleteFrom('layer_facts')
    .where('digest', '=', digest)
    .where((eb) =>
      eb.or([
        eb('vault', '=', vault),
        eb.not(eb.exists(eb.selectFrom('blobs').select('digest').where('digest', '=', digest))),
      ]),
    )
    .execute()
}
