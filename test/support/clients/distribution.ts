import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, ownEnvironment } from '../start-registry.ts'
import { client } from './client-test.ts'

/** Debian's `docker-registry`, with its content in a directory. */
export async function startDistribution(directory: string) {
  await mkdir(directory, { recursive: true })
  const port = await freePort()
  const config = join(directory, 'config.yml')
  await writeFile(
    config,
    `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${directory}}}\nhttp: {addr: 127.0.0.1:${port}}\n`,
  )
  const child = Bun.spawn([client('docker-registry'), 'serve', config], {
    env: ownEnvironment(),
    stdout: 'ignore',
    stderr: 'ignore',
  })
  const host = `127.0.0.1:${port}`
  for (let n = 0; n < 500; n++) {
    if (
      await fetch(`http://${host}/v2/`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      break
    await Bun.sleep(20)
  }
  return {
    host,
    [Symbol.asyncDispose]: async () => {
      child.kill()
      await child.exited
    },
  }
}
