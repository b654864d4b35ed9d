import { invalidParameters } from '../../domain/errors.ts'
import type { RegistryId } from '../../domain/names.ts'
import { isRegistryAlias, type RegistryAlias } from '../../domain/public-registry.ts'
import type { Ids } from '../../lib/ids.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { PublicRegistryWriter } from '../../stores/public-registries.ts'

/** The aliases that an operator gives to public registries, beside the random one that each has. Who may ask is decided outside. */
export class PublicAliases {
  readonly #metadata: MetadataStore
  readonly #ids: Ids

  constructor(metadata: MetadataStore, ids: Ids) {
    this.#metadata = metadata
    this.#ids = ids
  }

  /** In ascending order of name. */
  async list(registryId: RegistryId): Promise<readonly RegistryAlias[]> {
    return this.#metadata.view.publicRegistries.listAliases(registryId)
  }

  /**
   * Lets images be named by one more alias, and addresses show it if it is to be the primary one. Asked again for an alias
   * that the account has, it decides about that alone. Throws `invalid-parameter` for a name that is none or another account's.
   */
  async add(registryId: RegistryId, name: string, isPrimary: boolean): Promise<RegistryAlias> {
    if (!isRegistryAlias(name))
      throw invalidParameters(
        `'${name.slice(0, 64)}' is no alias: it has 2 to 50 lower-case letters and digits with single '.', '_' or '-' between them, a letter first.`,
      )
    return this.#metadata.transact(async ({ publicRegistries }) => {
      await ensureDefaultAlias(publicRegistries, registryId, this.#ids)
      const alias = { name, registryId, status: 'ACTIVE', isPrimary: false, isDefault: false } as const
      await publicRegistries.insertAlias(alias)
      const kept = await publicRegistries.findAlias(name)
      if (kept?.registryId !== registryId) throw invalidParameters(`The alias '${name}' is taken.`)
      if (!isPrimary) return kept
      await publicRegistries.makePrimary(registryId, name)
      return { ...kept, isPrimary }
    })
  }

  /**
   * Takes an alias away, under which nothing is found from then on; the default one takes its place as the primary one.
   * Throws `invalid-parameter` for one that is not there, and for a default one.
   */
  async remove(name: string): Promise<RegistryAlias> {
    return this.#metadata.transact(async ({ publicRegistries }) => {
      const alias = await publicRegistries.findAlias(name)
      if (alias === undefined) throw invalidParameters(`There is no alias '${name.slice(0, 64)}'.`)
      if (alias.isDefault) throw invalidParameters(`The alias '${name}' came with the registry and stays.`)
      await publicRegistries.deleteAlias(name)
      if (!alias.isPrimary) return alias
      const others = await publicRegistries.listAliases(alias.registryId)
      const next = others.find(({ isDefault }) => isDefault)
      if (next !== undefined) await publicRegistries.makePrimary(alias.registryId, next.name)
      return alias
    })
  }
}

/** Gives an account its default alias, the first time: a random one that nobody has. */
export async function ensureDefaultAlias(
  publicRegistries: PublicRegistryWriter,
  registryId: RegistryId,
  ids: Ids,
): Promise<void> {
  if ((await publicRegistries.listAliases(registryId)).length > 0) return
  const alias = { registryId, status: 'ACTIVE', isPrimary: true, isDefault: true } as const
  for (;;) if (await publicRegistries.insertAlias({ ...alias, name: aliasOf(ids.secret(8)) })) return
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/** Eight characters like `k7t2m9qa`, the first a letter. */
function aliasOf(bytes: Uint8Array): string {
  const characters = `${LETTERS}0123456789`
  const [first = 0, ...others] = bytes
  const rest = others.map((byte) => characters[byte % characters.length])
  return `${LETTERS[first % LETTERS.length]}${rest.join('')}`
}
