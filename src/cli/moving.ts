import { existsSync } from 'node:fs'
import type { Texts } from '../config/config.ts'
import { isRegistryError } from '../domain/errors.ts'
import { wildcard } from '../domain/wildcard.ts'
import { type CopyReport, ImageCopy } from '../moving/copy-images.ts'
import type { DockerArchive } from '../moving/docker-archive.ts'
import { openFiles } from '../moving/layout-files.ts'
import type { LayoutSource } from '../moving/layout-source.ts'
import type { GrowingFiles } from '../moving/layout-target.ts'
import type { ImageSource } from '../moving/places.ts'
import { RegistryPlace } from '../moving/registry-place.ts'
import { printReport } from './jobs.ts'
import { openRegistrySide, type RegistrySide } from './registry-side.ts'
import type { AppFactory } from './running-app.ts'
import { CommandFailure, EXIT, type Terminal } from './terminal.ts'

type Flags = Readonly<Record<string, unknown>>
type Command = 'export' | 'import' | 'sync'

/** `ecru export`: repositories into an OCI image layout, a directory or (`….tar`) an archive. */
export async function exportImages(
  options: Texts,
  flags: Flags,
  [path = '', ...patterns]: readonly string[],
  terminal: Terminal,
  createApp: AppFactory,
): Promise<number> {
  if (patterns.length > 0 === (flags.all === true))
    throw new CommandFailure('Name the repositories, with * as a wildcard, or give --all.')
  return await withRegistry('export', options, flags, terminal, createApp, async (side) => {
    const names = await chosen(side, patterns)
    const { LayoutTarget } = await import('../moving/layout-target.ts')
    const isOne = patterns.length === 1 && !patterns[0]?.includes('*')
    const form = flags.names ?? (isOne ? 'tag' : 'full')
    if (form !== 'tag' && form !== 'full') throw new CommandFailure('--names is tag or full.')
    if (form === 'tag' && names.length > 1)
      throw new CommandFailure('Tags alone do not tell several repositories apart: leave --names out, or say full.')
    const source = new RegistryPlace(side.client, { images: side.images, wantsTag: tagFilter(flags) })
    if (flags.dryRun === true && !existsSync(path))
      return await copyAll(source, nowhere, names, String, flags, terminal)
    const files = flags.dryRun === true ? await openUnchanged(path) : await openGrowing(path)
    try {
      const target = await LayoutTarget.open(files, form)
      const report = await copyAll(source, target, names, String, flags, terminal)
      if (flags.dryRun !== true) await target.finish()
      return report
    } finally {
      await files.close()
    }
  })
}

/** `ecru import`: an OCI image layout or a docker archive into repositories. */
export async function importImages(
  options: Texts,
  flags: Flags,
  [path = '', repository]: readonly string[],
  terminal: Terminal,
  createApp: AppFactory,
): Promise<number> {
  if (!existsSync(path)) throw new CommandFailure(`There is nothing at ${path}.`)
  const files = await spoken(() => openFiles(path))
  try {
    const naming = { repository, wantsTag: tagFilter(flags) }
    const source = await spoken(() => openImages(files, naming))
    const prefix = typeof flags.prefix === 'string' ? flags.prefix : ''
    return await withRegistry('import', options, flags, terminal, createApp, (side) =>
      copyAll(source, placeOf(side), source.repositories, (name) => `${prefix}${name}`, flags, terminal),
    )
  } finally {
    await files.close()
  }
}

/** `ecru sync`: a repository of any other registry into one of this. */
export async function syncImages(
  options: Texts,
  flags: Flags,
  [from = '', to]: readonly string[],
  terminal: Terminal,
  createApp: AppFactory,
): Promise<number> {
  const { openOther } = await import('./other-registry.ts')
  const { client, repository, tag, digest } = openOther(from, flags, terminal)
  const wantsTag = tag === undefined ? tagFilter(flags) : (one: string) => one === tag
  const place = new RegistryPlace(client, { wantsTag })
  const source = digest === undefined && tag === undefined ? place : only(place, { tag, digest })
  return await withRegistry('sync', options, flags, terminal, createApp, (side) =>
    copyAll(source, placeOf(side), [repository], () => to ?? repository, flags, terminal),
  )
}

/** One image of a place: its tags need not be listed. */
function only(
  place: RegistryPlace,
  root: { readonly tag: string | undefined; readonly digest: CopyRootDigest },
): ImageSource {
  return {
    async *roots() {
      yield root
    },
    digestOf: (repository, tag) => place.digestOf(repository, tag),
    manifest: (repository, digest) => place.manifest(repository, digest),
    referrers: (repository, digest) => place.referrers(repository, digest),
    blob: (repository, wanted, start, hash) => place.blob(repository, wanted, start, hash),
  }
}

type CopyRootDigest = Awaited<ReturnType<ImageSource['digestOf']>> | undefined
type Target = ConstructorParameters<typeof ImageCopy>[1]

/** Where nothing is yet; for dry runs. */
const nowhere: Target = {
  prepare: async () => undefined,
  whole: async () => undefined,
  named: async () => undefined,
  putBlob: async () => false,
  putManifest: async () => undefined,
  name: async () => undefined,
}

const placeOf = (side: RegistrySide) => new RegistryPlace(side.client, { create: (name) => side.create(name) })

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

async function openGrowing(path: string) {
  if (!/\.tar$/.test(path)) {
    const { GrowingFolder } = await import('../moving/growing-folder.ts')
    return await GrowingFolder.open(path)
  }
  const { GrowingArchive } = await import('../moving/growing-archive.ts')
  return await GrowingArchive.open(path)
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

function tagFilter({ tags }: Flags): ((tag: string) => boolean) | undefined {
  if (!Array.isArray(tags) || tags.length === 0) return undefined
  const tests = tags.map((pattern) => wildcard(String(pattern)))
  return (tag) => tests.some((test) => test(tag))
}

async function withRegistry(
  command: Command,
  options: Texts,
  flags: Flags,
  terminal: Terminal,
  createApp: AppFactory,
  work: (side: RegistrySide) => Promise<CopyReport>,
): Promise<number> {
  const side = await openRegistrySide(command, options, flags, terminal, createApp)
  try {
    const report = await spoken(() => work(side))
    const { failures, ...facts } = report
    printReport(flags.json === true ? report : facts, flags.json === true, terminal)
    for (const { image, reason } of failures) terminal.err(`${image}: ${reason}\n`)
    return failures.length === 0 ? EXIT.ok : EXIT.failed
  } finally {
    await side.close()
  }
}

async function copyAll(
  source: ImageSource,
  target: Target,
  repositories: readonly string[],
  nameThere: (repository: string) => string,
  flags: Flags,
  terminal: Terminal,
): Promise<CopyReport> {
  const parallel = Number(flags.parallel ?? 4)
  if (!Number.isSafeInteger(parallel) || parallel < 1 || parallel > 64)
    throw new CommandFailure('--parallel must be a whole number from 1 to 64.')
  const copy = new ImageCopy(source, target, {
    isDryRun: flags.dryRun === true,
    withReferrers: flags.referrers !== false,
    parallel,
    ...(flags.verbose === true ? { onProgress: (image: string) => terminal.err(`${image}\n`) } : {}),
  })
  for (const repository of repositories) await copy.copyRepository(repository, nameThere(repository))
  return copy.report
}

/** What was expected to go wrong is told in a sentence. */
async function spoken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    if (isRegistryError(thrown) || (thrown instanceof Error && thrown.name === 'MovingFailure'))
      throw new CommandFailure(thrown.message, { cause: thrown })
    throw thrown
  }
}
