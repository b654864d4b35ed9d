/** What an account can set for one region: the values that a setting may have, and what holds while none was put. */
export const ACCOUNT_SETTINGS = {
  /** Only the scanner that AWS calls native: Clair, its predecessor, has been retired. */
  BASIC_SCAN_TYPE_VERSION: { values: ['AWS_NATIVE'], default: 'AWS_NATIVE' },
  /** Whether a push may take over layers from other repositories of the registry. */
  BLOB_MOUNTING: { values: ['ENABLED', 'DISABLED'], default: 'DISABLED' },
  /** Which actions a registry policy may speak of: V1 three of them, V2 all. */
  REGISTRY_POLICY_SCOPE: { values: ['V1', 'V2'], default: 'V2' },
} as const satisfies Record<string, { readonly values: readonly string[]; readonly default: string }>

export type AccountSettingName = keyof typeof ACCOUNT_SETTINGS
export type AccountSettingValue<Name extends AccountSettingName> = (typeof ACCOUNT_SETTINGS)[Name]['values'][number]

export function isAccountSettingName(text: string): text is AccountSettingName {
  return Object.hasOwn(ACCOUNT_SETTINGS, text)
}

export function isAccountSettingValue<Name extends AccountSettingName>(
  name: Name,
  text: string,
): text is AccountSettingValue<Name> {
  const values: readonly string[] = ACCOUNT_SETTINGS[name].values
  return values.includes(text)
}
