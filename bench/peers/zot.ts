import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { capture } from '../child-processes.ts'
import { findBinary, requireBinary } from '../find-binary.ts'
import type { RegistryPeer } from '../registry-peer.ts'
import { freePort, startServer } from '../server-process.ts'
import { peerAuthorization, writeHtpasswd } from './htpasswd.ts'

const everything = [{ users: ['AWS'], actions: ['read', 'create', 'update', 'delete'] }]

/** zot, best in its minimal build (no extensions); storage with its defaults: deduplication and garbage collection on. */
export const zot: RegistryPeer = {
  name: 'zot',
  async locate() {
    const path = findBinary('zot')
    if (path === undefined) return { missing: 'no program "zot"' }
    const version = /"commit":"v?([^"]+)"/.exec(await capture(['sh', '-c', `"${path}" --version 2>&1`]))?.[1]
    return { version: version ?? 'unknown' }
  },
  async start(directory, options = {}) {
    const authenticated = options.authentication ?? true
    const port = await freePort()
    const config = {
      distSpecVersion: '1.1.1',
      storage: { rootDirectory: join(directory, 'data') },
      http: {
        address: '127.0.0.1',
        port: `${port}`,
        ...(authenticated && {
          auth: { htpasswd: { path: await writeHtpasswd(directory) } },
          accessControl: { repositories: { '**': { policies: everything } } },
        }),
      },
      log: { level: 'info', output: join(directory, 'log') },
    }
    const configPath = join(directory, 'config.json')
    await writeFile(configPath, JSON.stringify(config))
    const url = `http://127.0.0.1:${port}`
    const server = await startServer([requireBinary('zot'), 'serve', configPath], `${url}/v2/`, join(directory, 'out'))
    const authorization = authenticated ? peerAuthorization : undefined
    return { ...server, name: 'zot', url, authorization, createRepository: async () => undefined }
  },
}
