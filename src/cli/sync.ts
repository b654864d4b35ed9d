import type { Digest } from '../domain/digest.ts'
import { isRegistryError } from '../domain/errors.ts'
import { isRepositoryName } from '../domain/names.ts'
import { wildcard } from '../domain/wildcard.ts'
import type { ImageSource } from '../moving/places.ts'
import { RegistryPlace } from '../moving/registry-place.ts'
import { copyAll, placeOf, spoken, tagFilter, withRegistry } from './copying.ts'
import type { Flags, Invocation } from './invocation.ts'
import { type OtherRepository, openOther } from './other-registry.ts'
import { CommandFailure, CommandMisuse } from './terminal.ts'

/** `ecru sync`: repositories of any other registry, or one image, into those of this. */
export async function syncImages([from = '', to]: readonly string[], invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  const other = openOther(from, flags, terminal)
  const { client, repository, tag, digest } = other
  const isPattern = repository.includes('*')
  if (isPattern && (to !== undefined || tag !== undefined || digest !== undefined))
    throw new CommandMisuse(
      'Several repositories keep their names: give --prefix, and choose tags by --tags or --semver.',
    )
  const isOne = tag !== undefined || digest !== undefined
  const wantsTag = tagFilter(flags)
  if (isOne && wantsTag !== undefined)
    throw new CommandMisuse('One image was named: --tags and --semver choose among several.')
  const place = new RegistryPlace(client, { wantsTag })
  const source = isOne ? only(place, { tag, digest }) : place
  const prefix = typeof flags.prefix === 'string' ? flags.prefix : ''
  const names = isPattern ? await spoken(() => chosen(other, flags)) : [repository]
  const nameThere = (name: string) => to ?? `${prefix}${name}`
  if (!isPattern && !isRepositoryName(nameThere(repository)))
    throw new CommandMisuse(`'${nameThere(repository)}' cannot be the name of a repository here: name another one.`)
  return await withRegistry('sync', invocation, (side) =>
    copyAll(names, { source, target: placeOf(side), nameThere }, invocation),
  )
}

/** Repositories of the other side that a pattern means. */
async function chosen({ client, repository: pattern }: OtherRepository, flags: Flags): Promise<readonly string[]> {
  const isWanted = wildcard(pattern)
  const excluded = Array.isArray(flags.exclude) ? flags.exclude.map((one) => wildcard(String(one))) : []
  const names: string[] = []
  let next: string | undefined
  do {
    const page = await client.listRepositories(next).catch((error: unknown) => {
      if (!isRegistryError(error, 'upstream-not-found', 'upstream-denied')) throw error
      throw new CommandFailure(
        `${client.host} does not list its repositories, or not to us (${error.message}): name them one by one.`,
        { cause: error },
      )
    })
    names.push(...page.repositories.filter((name) => isWanted(name) && !excluded.some((test) => test(name))))
    next = page.next
  } while (next !== undefined)
  if (names.length === 0)
    throw new CommandFailure(`There is no repository ${pattern} in ${client.host}, or none that we may see.`)
  return names
}

/** One image of a place: its tags need not be listed. */
function only(
  place: RegistryPlace,
  root: { readonly tag: string | undefined; readonly digest: Digest | undefined },
): ImageSource {
  return {
    async *roots() {
      yield root
    },
    companions: (repository, digests) => place.companionsByName(repository, digests),
    digestOf: (repository, tag) => place.digestOf(repository, tag),
    manifest: (repository, digest) => place.manifest(repository, digest),
    referrers: (repository, digest) => place.referrers(repository, digest),
    blob: (repository, wanted, start, hash) => place.blob(repository, wanted, start, hash),
  }
}
