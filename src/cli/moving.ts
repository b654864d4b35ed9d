import { existsSync } from 'node:fs'
import { wildcard } from '../domain/wildcard.ts'
import { compressionByName } from '../lib/packed.ts'
import type { DockerArchive } from '../moving/docker-archive.ts'
import { openFiles, openStream } from '../moving/layout-files.ts'
import type { LayoutSource } from '../moving/layout-source.ts'
import type { GrowingFiles } from '../moving/layout-target.ts'
import type { ImageTarget } from '../moving/places.ts'
import { RegistryPlace } from '../moving/registry-place.ts'
import { copyAll, placeOf, spoken, tagFilter, withRegistry } from './copying.ts'
import type { Invocation } from './invocation.ts'
import type { RegistrySide } from './registry-side.ts'
import { CommandFailure, CommandMisuse, type Terminal } from './terminal.ts'

/** Standard input. */
const INPUT = '-'

/** `ecru export`: repositories into an OCI image layout, a directory or (`….tar`, `….tar.gz`, `….tar.zst`) an archive. */
export async function exportImages(
  [path = '', ...patterns]: readonly string[],
  invocation: Invocation,
): Promise<number> {
  const { flags } = invocation
  if (patterns.length > 0 === (flags.all === true))
    throw new CommandMisuse('Name the repositories, with * as a wildcard, or give --all.')
  return await withRegistry('export', invocation, async (side) => {
    const names = await chosen(side, patterns)
    const { LayoutTarget } = await import('../moving/layout-target.ts')
    const isOne = patterns.length === 1 && !patterns[0]?.includes('*')
    const form = flags.names ?? (isOne ? 'tag' : 'full')
    if (form !== 'tag' && form !== 'full') throw new CommandMisuse('--names is tag or full.')
    if (form === 'tag' && names.length > 1)
      throw new CommandMisuse('Tags alone do not tell several repositories apart: leave --names out, or say full.')
    const source = new RegistryPlace(side.client, { images: side.images, wantsTag: tagFilter(flags) })
    if (flags.dryRun === true && !existsSync(path))
      return await copyAll(names, { source, target: nowhere, nameThere: String }, invocation)
    const files = flags.dryRun === true ? await openUnchanged(path) : await openGrowing(path)
    try {
      const target = await LayoutTarget.open(files, form)
      const report = await copyAll(names, { source, target, nameThere: String }, invocation)
      if (flags.dryRun !== true) await target.finish()
      return report
    } finally {
      await files.close()
    }
  })
}

/** `ecru import`: an OCI image layout or a docker archive into repositories. */
export async function importImages(
  [path = '', repository]: readonly string[],
  invocation: Invocation,
): Promise<number> {
  const { flags, terminal } = invocation
  if (path !== INPUT && !existsSync(path)) throw new CommandFailure(`There is nothing at ${path}.`)
  const files = await spoken(async () =>
    path === INPUT ? await openStream(await input(terminal)) : await openFiles(path),
  )
  try {
    const naming = { repository, wantsTag: tagFilter(flags) }
    const source = await spoken(() => openImages(files, naming))
    const prefix = typeof flags.prefix === 'string' ? flags.prefix : ''
    return await withRegistry('import', invocation, (side) =>
      copyAll(
        source.repositories,
        { source, target: placeOf(side), nameThere: (name) => `${prefix}${name}` },
        invocation,
      ),
    )
  } finally {
    await files.close()
  }
}

async function input({ streams }: Terminal): Promise<AsyncIterable<Uint8Array>> {
  return (streams ?? (await import('./standard-streams.ts')).standardStreams).read()
}

/** Where nothing is yet; for dry runs. */
const nowhere: ImageTarget = {
  prepare: async () => undefined,
  whole: async () => undefined,
  named: async () => undefined,
  hasBlob: async () => false,
  putBlob: async () => false,
  putManifest: async () => undefined,
  name: async () => undefined,
}

/** A layout to compare with, and never to write to. */
async function openUnchanged(path: string): Promise<GrowingFiles> {
  const files = await openFiles(path)
  const refuse = () => Promise.reject(new Error('A dry run writes nothing.'))
  return {
    sizeOf: (name) => files.sizeOf(name),
    read: (name, from) => files.read(name, from),
    close: () => files.close(),
    add: refuse,
    finish: refuse,
  }
}

async function openGrowing(path: string): Promise<GrowingFiles> {
  const compression = compressionByName(path)
  if (compression === undefined) {
    const { GrowingFolder } = await import('../moving/growing-folder.ts')
    return await GrowingFolder.open(path)
  }
  if (compression === 'none') {
    const { GrowingArchive } = await import('../moving/growing-archive.ts')
    return await GrowingArchive.open(path)
  }
  const { PackedArchive } = await import('../moving/packed-archive.ts')
  return await PackedArchive.open(path, compression)
}

async function openImages(
  files: Awaited<ReturnType<typeof openFiles>>,
  naming: Parameters<typeof LayoutSource.open>[1],
): Promise<LayoutSource | DockerArchive> {
  const { DockerArchive } = await import('../moving/docker-archive.ts')
  const { LayoutSource } = await import('../moving/layout-source.ts')
  return DockerArchive.isOne(files) ? await DockerArchive.open(files, naming) : await LayoutSource.open(files, naming)
}

async function chosen(side: RegistrySide, patterns: readonly string[]): Promise<readonly string[]> {
  const tests = patterns.map(wildcard)
  const names: string[] = []
  for await (const name of side.repositories())
    if (tests.length === 0 || tests.some((test) => test(name))) names.push(name)
  for (const [at, test] of tests.entries())
    if (!names.some(test)) throw new CommandFailure(`There is no repository ${patterns[at]}.`)
  return names
}
