import {
  ACCOUNT_SETTINGS,
  type AccountSettingName,
  type AccountSettingValue,
  isAccountSettingName,
  isAccountSettingValue,
} from '../domain/account-settings.ts'
import { invalidParameter } from '../domain/errors.ts'
import type { Registry } from '../domain/names.ts'
import type { Principal } from '../domain/principal.ts'
import type { MetadataReader, MetadataStore } from '../stores/metadata.ts'
import type { Access, RequestDetails } from './access/access.ts'

export interface AccountSetting {
  readonly name: AccountSettingName
  readonly value: string
}

/** What an account sets for one region, by ECR's names. What acts on a setting asks `settingOf` or `findSetting`. */
export class AccountSettings {
  readonly #metadata: MetadataStore
  readonly #access: Access

  constructor(metadata: MetadataStore, access: Access) {
    this.#metadata = metadata
    this.#access = access
  }

  /** The default while none was put. Throws `invalid-parameter` for a name that ECR does not know. */
  async get(principal: Principal, registry: Registry, name: string): Promise<AccountSetting> {
    await this.#access.authorize(principal, 'ecr:GetAccountSetting', registry, named(name))
    const known = settingName(name)
    return { name: known, value: await settingOf(this.#metadata.view, registry, known) }
  }

  /** Acts from the next request on. Throws `invalid-parameter` for an unknown name, and for a value that could not act. */
  async put(principal: Principal, registry: Registry, name: string, value: string): Promise<AccountSetting> {
    await this.#access.authorize(principal, 'ecr:PutAccountSetting', registry, named(name))
    const known = settingName(name)
    if (!isAccountSettingValue(known, value)) throw enumViolation('value', ACCOUNT_SETTINGS[known].values)
    await this.#metadata.transact((tx) => tx.accounts.putSetting(registry, known, value))
    return { name: known, value }
  }
}

/** The value that was put, `undefined` while none was. */
export async function findSetting<Name extends AccountSettingName>(
  view: MetadataReader,
  registry: Registry,
  name: Name,
): Promise<AccountSettingValue<Name> | undefined> {
  const value = await view.accounts.findSetting(registry, name)
  if (value === undefined || isAccountSettingValue(name, value)) return value
  throw new Error(`the account setting ${name} has a value that it cannot have`)
}

/** The value that was put, or the default. */
export async function settingOf<Name extends AccountSettingName>(
  view: MetadataReader,
  registry: Registry,
  name: Name,
): Promise<AccountSettingValue<Name>> {
  return (await findSetting(view, registry, name)) ?? ACCOUNT_SETTINGS[name].default
}

/** `ecr:AccountSetting`, by which policies tell settings apart. */
function named(name: string): RequestDetails {
  return { facts: { 'ecr:accountsetting': name } }
}

function settingName(text: string): AccountSettingName {
  if (!isAccountSettingName(text)) throw enumViolation('name', Object.keys(ACCOUNT_SETTINGS))
  return text
}

function enumViolation(member: string, values: readonly string[]) {
  return invalidParameter(member, `Member must satisfy enum value set: [${values.join(', ')}]`)
}
