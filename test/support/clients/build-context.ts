import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { noise } from '../image-builder.ts'
import { client } from './client-test.ts'

/**
 * Writes a build context that needs no base image: one static program that is every command, and some data.
 * The image it makes prints `hello NAME` when it runs.
 */
export async function writeBuildContext(dir: string, seed: string): Promise<void> {
  await mkdir(join(dir, 'files'), { recursive: true })
  await copyFile(client('busybox'), join(dir, 'busybox'))
  await writeFile(join(dir, 'files/a.bin'), noise(seed, 3_000_000))
  await writeFile(join(dir, 'files/seed'), `${seed}\n`)
  await writeFile(
    join(dir, 'Dockerfile'),
    [
      'FROM scratch',
      'COPY busybox /bin/busybox',
      'COPY files/a.bin /data/a.bin',
      'COPY files/seed /data/seed',
      'ENTRYPOINT ["/bin/busybox", "echo", "hello"]',
      '',
    ].join('\n'),
  )
}
