import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { capture } from '../child-processes.ts'
import { findBinary, requireBinary } from '../find-binary.ts'
import type { RegistryPeer } from '../registry-peer.ts'
import { freePort, startServer } from '../server-process.ts'
import { peerAuthorization, writeHtpasswd } from './htpasswd.ts'

/** A peer of the distribution family: same configuration file, different programs. */
export function distributionPeer(name: string, binary: string): RegistryPeer {
  return {
    name,
    async locate() {
      const path = findBinary(binary)
      if (path === undefined) return { missing: `no program "${binary}"` }
      const version = /v?(\d+\.\d+\.\d+\S*)/.exec(await capture([path, '--version']))?.[1]
      return { version: version ?? 'unknown' }
    },
    async start(directory, options = {}) {
      const authenticated = options.authentication ?? true
      const port = await freePort()
      const config = {
        version: '0.1',
        log: { level: 'info' },
        storage: {
          filesystem: { rootdirectory: join(directory, 'data') },
          delete: { enabled: true },
          cache: { blobdescriptor: 'inmemory' },
        },
        http: { addr: `127.0.0.1:${port}`, secret: 'benchmark' },
        ...(authenticated && { auth: { htpasswd: { realm: 'benchmark', path: await writeHtpasswd(directory) } } }),
      }
      const configPath = join(directory, 'config.yml')
      await writeFile(configPath, JSON.stringify(config))
      const url = `http://127.0.0.1:${port}`
      const server = await startServer(
        [requireBinary(binary), 'serve', configPath],
        `${url}/v2/`,
        join(directory, 'log'),
        {
          OTEL_TRACES_EXPORTER: 'none',
        },
      )
      const authorization = authenticated ? peerAuthorization : undefined
      return { ...server, name, url, authorization, createRepository: async () => undefined }
    },
  }
}
