import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { interleave, megabytesPerSecond, type Workload, withAllRegistries } from '../bench.ts'
import { writeLayerFile } from '../generated-layer.ts'
import { startNginx } from '../peers/nginx.ts'
import { readCpuMs } from '../process-cpu.ts'
import { atLeastBestPeer, atLeastLimit, type Row } from '../row.ts'
import { download, drain, pushWhole } from '../transfer.ts'

interface Source {
  readonly name: string
  readonly pid: number
  readonly url: string
  readonly authorization: string | undefined
}

/**
 * One client pulls one layer, from the page cache; nginx sends the same file by sendfile. Once by curl, which has to
 * copy what it receives and may be slower than the servers are, and once by a client that drops the bytes unseen.
 */
export const pullLargeBlob: Workload = {
  name: 'pull',
  async run(bench) {
    const sizeBytes = bench.quick ? 128 << 20 : 1 << 30
    const root = join(bench.directory, 'files')
    await mkdir(root)
    const layer = await writeLayerFile(join(root, 'layer'), 'pull', sizeBytes)
    const nginx = bench.withNginx ? await startNginx(join(bench.directory, 'nginx'), root) : undefined
    try {
      return await withAllRegistries(
        bench,
        async (registry) => {
          await registry.createRepository('bench/pull')
          await pushWhole(registry, 'bench/pull', layer)
        },
        async (registries): Promise<Row[]> => {
          const path = `/v2/bench/pull/blobs/${layer.digest}`
          const sources: Source[] = registries.map(({ name, pid, url, authorization }) => ({
            name,
            pid,
            url: url + path,
            authorization,
          }))
          if (nginx !== undefined) {
            sources.push({ name: 'nginx', pid: nginx.pid, url: `${nginx.url}/layer`, authorization: undefined })
          }
          const samples = await interleave(bench, 'pull', sources, async ({ pid, url, authorization }) => {
            const cpuBeforeMs = readCpuMs(pid)
            const byCurlMs = await download([url], authorization)
            const cpuMs = readCpuMs(pid) - cpuBeforeMs
            const droppedMs = await drain(url, authorization)
            return {
              curl: megabytesPerSecond(sizeBytes, byCurlMs),
              dropped: megabytesPerSecond(sizeBytes, droppedMs),
              cpu: cpuMs,
            }
          })
          const of = (metric: string) => ({
            samples: new Map([...samples(metric)].filter(([name]) => name !== 'nginx')),
            limits: new Map([['nginx', samples(metric).get('nginx') ?? []]]),
          })
          const title = `pull of one ${sizeBytes >> 20} MiB blob`
          const speed = { unit: 'MB/s', better: 'higher' } as const
          const budgets = [atLeastBestPeer(1.2), atLeastLimit(0.8, 'nginx sendfile')]
          return [
            { title: `${title}, by curl`, ...speed, ...of('curl'), budgets },
            { title: `${title}, dropped unseen`, ...speed, ...of('dropped'), budgets },
            { title: `processor time of the server for that (curl)`, unit: 'ms', better: 'lower', ...of('cpu') },
          ]
        },
      )
    } finally {
      await nginx?.stop()
      await rm(root, { recursive: true })
    }
  },
}
