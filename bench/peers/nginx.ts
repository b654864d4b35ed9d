import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { capture } from '../child-processes.ts'
import { findBinary, requireBinary } from '../find-binary.ts'
import type { Located } from '../registry-peer.ts'
import { freePort, startServer } from '../server-process.ts'

/** A static file server that shows how fast the kernel sends a file: no login, no digest, no database. */
export interface FileServer {
  readonly pid: number
  readonly url: string
  stop(): Promise<void>
}

/** Whether nginx is here. */
export async function locateNginx(): Promise<Located> {
  const path = findBinary('nginx')
  if (path === undefined) return { missing: 'no program "nginx"' }
  const version = /nginx\/(\S+)/.exec(await capture(['sh', '-c', `"${path}" -v 2>&1`]))?.[1]
  return { version: version ?? 'unknown' }
}

/** Serves the files of `root` by sendfile from a single process, which dies alone when it is killed; its own files lie in `directory`. */
export async function startNginx(directory: string, root: string): Promise<FileServer> {
  const port = await freePort()
  await mkdir(directory, { recursive: true })
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(directory, kind)};`)
    .join(' ')
  const config = `daemon off; master_process off; pid ${join(directory, 'pid')}; error_log ${join(directory, 'errors')};
events { worker_connections 1024; }
http {
  sendfile on; tcp_nopush on; access_log ${join(directory, 'access')}; ${temporary}
  server { listen 127.0.0.1:${port}; root ${root}; }
}
`
  const configPath = join(directory, 'nginx.conf')
  await writeFile(configPath, config)
  const url = `http://127.0.0.1:${port}`
  const command = [requireBinary('nginx'), '-e', join(directory, 'errors'), '-c', configPath]
  const server = await startServer(command, url, join(directory, 'out'))
  return { ...server, url }
}
