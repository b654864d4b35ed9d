import type { FoundPackage } from '../inventory/package.ts'

/** A licence as a package states it: by an identifier of the SPDX list, or in words of its own. */
export type StatedLicence = { readonly id: string } | { readonly name: string }

/**
 * Identifiers of the SPDX list that packages use most. A statement that is none of these stays in its own words, which is
 * never wrong; the whole list has 700.
 */
const KNOWN_IDS = [
  '0BSD',
  'AFL-2.1',
  'AGPL-3.0-only',
  'AGPL-3.0-or-later',
  'Apache-1.1',
  'Apache-2.0',
  'Artistic-1.0',
  'Artistic-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BSD-4-Clause',
  'BSL-1.0',
  'BlueOak-1.0.0',
  'CC-BY-3.0',
  'CC-BY-4.0',
  'CC0-1.0',
  'CDDL-1.0',
  'EPL-1.0',
  'EPL-2.0',
  'GFDL-1.3-or-later',
  'GPL-1.0-or-later',
  'GPL-2.0-only',
  'GPL-2.0-or-later',
  'GPL-3.0-only',
  'GPL-3.0-or-later',
  'HPND',
  'ISC',
  'LGPL-2.0-or-later',
  'LGPL-2.1-only',
  'LGPL-2.1-or-later',
  'LGPL-3.0-only',
  'LGPL-3.0-or-later',
  'MIT',
  'MIT-0',
  'MPL-1.1',
  'MPL-2.0',
  'MS-PL',
  'OFL-1.1',
  'OpenSSL',
  'PSF-2.0',
  'Python-2.0',
  'Ruby',
  'SSPL-1.0',
  'Unicode-DFS-2016',
  'Unlicense',
  'Vim',
  'WTFPL',
  'X11',
  'Zlib',
  'ZPL-2.1',
  'bzip2-1.0.6',
  'curl',
] as const

const ID_BY_LOWER_CASE: ReadonlyMap<string, string> = new Map(KNOWN_IDS.map((id) => [id.toLowerCase(), id]))

/** What a package states, each once, in its own order. */
export function licencesOf({ licences }: Pick<FoundPackage, 'licences'>): readonly StatedLicence[] {
  const stated = licences.map((one) => one.trim()).filter((one) => one !== '')
  return [...new Set(stated.map((text) => ID_BY_LOWER_CASE.get(text.toLowerCase()) ?? text))].map((text) =>
    ID_BY_LOWER_CASE.get(text.toLowerCase()) === text ? { id: text } : { name: text },
  )
}
