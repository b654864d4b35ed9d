import { type Bench, interleave, type Workload, withAllRegistries } from '../bench.ts'
import { hammerHead } from '../head-load.ts'
import { pushSmallImage } from '../registry-client.ts'
import type { StartOptions } from '../registry-peer.ts'
import { atLeastBestPeer, type Row } from '../row.ts'
import { hammerGet } from '../wrk.ts'

/**
 * GET and HEAD of a manifest by tag over 64 connections. The peers check a bcrypt hash on each request, which is most
 * of their work even at bcrypt's lowest cost; so they are measured once more with authentication off, Ecru with it.
 */
export const manifests: Workload = {
  name: 'manifests',
  async run(bench) {
    const authorised = await measure(bench, {})
    const open = await measure(bench, { authentication: false })
    const shared = { unit: 'requests/s', better: 'higher' } as const
    return [
      ...authorised.map(
        ({ method, samples }): Row => ({
          title: `manifest ${method} by tag, authorised, 64 connections`,
          ...shared,
          samples,
          budgets: [atLeastBestPeer(3)],
        }),
      ),
      ...open.map(
        ({ method, samples }): Row => ({
          title: `manifest ${method} by tag, 64 connections, only Ecru authorised`,
          ...shared,
          samples,
        }),
      ),
    ]
  },
}

async function measure(bench: Bench, options: StartOptions) {
  const seconds = bench.quick ? 1 : 4
  return await withAllRegistries(
    bench,
    async (registry) => {
      await registry.createRepository('bench/manifests')
      await pushSmallImage(registry, 'bench/manifests', 'latest')
    },
    async (registries) => {
      const samples = await interleave(bench, 'manifests', registries, async (registry) => {
        const url = `${registry.url}/v2/bench/manifests/manifests/latest`
        const headers = {
          accept: 'application/vnd.oci.image.manifest.v1+json',
          ...(registry.authorization !== undefined && { authorization: registry.authorization }),
        }
        return {
          GET: await hammerGet(url, headers, seconds),
          HEAD: await hammerHead(url, headers, seconds),
        }
      })
      return (['GET', 'HEAD'] as const).map((method) => ({ method, samples: samples(method) }))
    },
    options,
  )
}
