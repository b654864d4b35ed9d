import { REGISTRY_ACTIONS, REPOSITORY_ACTIONS } from '../domain/iam/actions.ts'
import { AWS_PUBLIC_QUOTAS, AWS_QUOTAS, GENEROUS_QUOTAS, type Quotas } from '../domain/quotas.ts'
import { AWS_PUBLIC_RATES, AWS_RATES, type Rates, UNLIMITED_RATES } from '../domain/rates.ts'

/** What an operator says about limits: whose values count, and which of them differ. */
export interface LimitSettings {
  /** Absent: as the fidelity says. */
  readonly base?: 'aws' | 'off' | undefined
  readonly values: Readonly<Record<string, number>>
}

export const QUOTA_NAMES: readonly string[] = Object.keys(AWS_QUOTAS)
export const RATE_NAMES: readonly string[] = [...REPOSITORY_ACTIONS, ...REGISTRY_ACTIONS]

/** Reads `aws`, `off`, `name=number`, or several of them with commas between. `undefined` when it is something else. */
export function parseLimits(text: string, names: readonly string[]): LimitSettings | undefined {
  let base: LimitSettings['base']
  const values: Record<string, number> = {}
  for (const part of text.split(',').map((one) => one.trim())) {
    if (part === 'aws' || part === 'off') {
      if (base !== undefined) return undefined
      base = part
      continue
    }
    const [, name = '', digits = ''] = /^([A-Za-z]+)=([0-9]{1,15})$/.exec(part) ?? []
    if (!names.includes(name) || name in values || Number(digits) < 1) return undefined
    values[name] = Number(digits)
  }
  return { base, values }
}

/** The quotas of private registries: the base that was said, or that of the fidelity, with single numbers over it. */
export function quotasOf({ base, values }: LimitSettings, fidelity: 'oci' | 'aws'): Quotas {
  return { ...(isAws(base, fidelity) ? AWS_QUOTAS : GENEROUS_QUOTAS), ...values }
}

/** The rates, in the same way. */
export function ratesOf({ base, values }: LimitSettings, fidelity: 'oci' | 'aws'): Rates {
  return { ...(isAws(base, fidelity) ? AWS_RATES : UNLIMITED_RATES), ...values }
}

/** The same for public registries: only where AWS's own numbers count do they differ. */
export function publicQuotasOf({ base, values }: LimitSettings, fidelity: 'oci' | 'aws'): Quotas {
  return { ...(isAws(base, fidelity) ? AWS_PUBLIC_QUOTAS : GENEROUS_QUOTAS), ...values }
}

/** The rates of public registries. */
export function publicRatesOf({ base, values }: LimitSettings, fidelity: 'oci' | 'aws'): Rates {
  return { ...(isAws(base, fidelity) ? AWS_PUBLIC_RATES : UNLIMITED_RATES), ...values }
}

function isAws(base: LimitSettings['base'], fidelity: 'oci' | 'aws'): boolean {
  return base === undefined ? fidelity === 'aws' : base === 'aws'
}
