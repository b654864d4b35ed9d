import { interleave, type Workload, withAllRegistries } from '../bench.ts'
import { capture } from '../child-processes.ts'
import { layerBytes } from '../generated-layer.ts'
import { pushBlob, sha256 } from '../registry-client.ts'

const clients = 10
const sizeBytes = 1 << 20

/** Ten clients push layers of 1 MiB, each new to the registry, one after the other; hashes are made beforehand. */
export const smallPushes: Workload = {
  name: 'small-pushes',
  async run(bench) {
    const perClient = bench.quick ? 5 : 30
    return await withAllRegistries(
      bench,
      (registry) => registry.createRepository('bench/small'),
      async (registries) => {
        const samples = await interleave(bench, 'small pushes', registries, async (registry, round) => {
          const blobs = prepare(`${registry.name} ${round}`, perClient)
          await capture(['sync'])
          const began = performance.now()
          await Promise.all(
            blobs.map(async (own) => {
              for (const { bytes, digest } of own) await pushBlob(registry, 'bench/small', bytes, digest)
            }),
          )
          return { pushes: (clients * perClient * 1000) / (performance.now() - began) }
        })
        return [
          {
            title: `1 MiB blob pushes, ${clients} clients`,
            unit: 'pushes/s',
            better: 'higher',
            samples: samples('pushes'),
          },
        ]
      },
    )
  },
}

/** For each client its blobs: the same bytes but for a head that makes each one new. */
function prepare(seed: string, perClient: number): readonly (readonly { bytes: Uint8Array; digest: string }[])[] {
  const body = layerBytes(seed, sizeBytes)
  return Array.from({ length: clients }, (_, client) =>
    Array.from({ length: perClient }, (_, n) => {
      const bytes = Buffer.from(body)
      bytes.write(`${seed} ${client} ${n}`)
      return { bytes, digest: sha256(bytes) }
    }),
  )
}
