import { isRegistryError } from '../domain/errors.ts'
import { semverRange } from '../domain/semver-range.ts'
import { wildcard } from '../domain/wildcard.ts'
import { type CopyReport, ImageCopy } from '../moving/copy-images.ts'
import type { ImageSource, ImageTarget } from '../moving/places.ts'
import { RegistryPlace } from '../moving/registry-place.ts'
import type { Flags, Invocation } from './invocation.ts'
import { printReport } from './jobs.ts'
import { type Progress, progressOn } from './progress.ts'
import { openRegistrySide, type RegistrySide } from './registry-side.ts'
import { printBytes } from './report.ts'
import { CommandFailure, CommandMisuse, EXIT, type Terminal } from './terminal.ts'

type Command = 'export' | 'import' | 'sync'

/** This registry, to copy to. */
export const placeOf = (side: RegistrySide) => new RegistryPlace(side.client, { create: (name) => side.create(name) })

/** Which tags are wanted; `undefined`: all, and what has none. */
export function tagFilter({ tags, semver }: Flags): ((tag: string) => boolean) | undefined {
  const tests = Array.isArray(tags) ? tags.map((pattern) => wildcard(String(pattern))) : []
  const range = typeof semver === 'string' ? semverRange(semver) : undefined
  if (typeof semver === 'string' && range === undefined)
    throw new CommandMisuse(`'${semver}' is no range of versions: it should look like '>=1.2 <2', '^1.4' or '2.x'.`)
  if (tests.length === 0) return range
  return (tag) => tests.some((test) => test(tag)) && (range?.(tag) ?? true)
}

/** Opens the registry, has the work done, prints its report. Answers 1 when some image failed. */
export async function withRegistry(
  command: Command,
  invocation: Invocation,
  work: (side: RegistrySide) => Promise<CopyReport>,
): Promise<number> {
  const { flags, terminal } = invocation
  const side = await openRegistrySide(command, invocation)
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

/** From where to where repositories go, and what each is called there. */
interface CopyRoute {
  readonly source: ImageSource
  readonly target: ImageTarget
  nameThere(repository: string): string
}

/** Copies repositories, one after the other; of several, one that cannot be copied keeps no other one back. */
export async function copyAll(
  repositories: readonly string[],
  { source, target, nameThere }: CopyRoute,
  { flags, terminal }: Invocation,
): Promise<CopyReport> {
  const parallel = Number(flags.parallel ?? 4)
  if (!Number.isSafeInteger(parallel) || parallel < 1 || parallel > 64)
    throw new CommandMisuse('--parallel must be a whole number from 1 to 64.')
  const progress = progressOn(terminal, flags.json !== true)
  let bytes = 0
  const show = () => progress.show(() => sentenceOf(copy.report, bytes))
  const copy = new ImageCopy(source, target, {
    isDryRun: flags.dryRun === true,
    withReferrers: flags.referrers !== false,
    parallel,
    onImage: (image) => {
      if (flags.verbose === true) sayImage(image, progress, terminal)
      show()
    },
    onBytes: (count) => {
      bytes += count
      show()
    },
  })
  try {
    for (const repository of repositories) {
      try {
        await copy.copyRepository(repository, nameThere(repository))
      } catch (thrown) {
        if (repositories.length === 1 || !isSpoken(thrown)) throw thrown
        copy.fail(repository, thrown)
      }
    }
    return copy.report
  } finally {
    progress.end()
  }
}

function sayImage(image: string, progress: Progress, terminal: Terminal): void {
  progress.end()
  terminal.err(`${image}\n`)
}

function sentenceOf({ repositories, copiedImages, presentImages, failures }: CopyReport, bytes: number): string {
  const failed = failures.length === 0 ? '' : `, ${failures.length} failed`
  return `repository ${repositories}: ${copiedImages} images copied, ${presentImages} there already${failed}, ${printBytes(bytes)}`
}

/** What was expected to go wrong is told in a sentence. */
export async function spoken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    if (isSpoken(thrown)) throw new CommandFailure(thrown.message, { cause: thrown })
    throw thrown
  }
}

function isSpoken(thrown: unknown): thrown is Error {
  return (
    isRegistryError(thrown) || (thrown instanceof Error && ['CommandFailure', 'MovingFailure'].includes(thrown.name))
  )
}
