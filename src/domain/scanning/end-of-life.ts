/**
 * When the updates of a release end that everybody gets, long-term support by the community included and paid support
 * not. Days that distributions have announced; a release that is not here is taken for supported.
 */
const LAST_DAYS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  alpine: {
    '3.6': '2019-05-01',
    '3.7': '2019-11-01',
    '3.8': '2020-05-01',
    '3.9': '2020-11-01',
    '3.10': '2021-05-01',
    '3.11': '2021-11-01',
    '3.12': '2022-05-01',
    '3.13': '2022-11-01',
    '3.14': '2023-05-01',
    '3.15': '2023-11-01',
    '3.16': '2024-05-23',
    '3.17': '2024-11-22',
    '3.18': '2025-05-09',
    '3.19': '2025-11-01',
    '3.20': '2026-04-01',
    '3.21': '2026-11-01',
    '3.22': '2027-05-01',
    '3.23': '2027-11-01',
    '3.24': '2028-06-01',
  },
  debian: {
    '7': '2018-05-31',
    '8': '2020-06-30',
    '9': '2022-06-30',
    '10': '2024-06-30',
    '11': '2026-08-31',
    '12': '2028-06-30',
    '13': '2030-06-30',
  },
  ubuntu: {
    '12.04': '2017-04-28',
    '14.04': '2019-04-25',
    '16.04': '2021-04-30',
    '18.04': '2023-05-31',
    '19.04': '2020-01-23',
    '19.10': '2020-07-17',
    '20.04': '2025-05-29',
    '20.10': '2021-07-22',
    '21.04': '2022-01-20',
    '21.10': '2022-07-14',
    '22.04': '2027-06-01',
    '22.10': '2023-07-20',
    '23.04': '2024-01-25',
    '23.10': '2024-07-11',
    '24.04': '2029-05-31',
    '24.10': '2025-07-10',
    '25.04': '2026-01-15',
    '25.10': '2026-07-09',
    '26.04': '2031-05-29',
  },
  almalinux: { '8': '2029-03-01', '9': '2032-05-31', '10': '2035-05-31' },
  rocky: { '8': '2029-05-31', '9': '2032-05-31', '10': '2035-05-31' },
  rhel: {
    '5': '2017-03-31',
    '6': '2020-11-30',
    '7': '2024-06-30',
    '8': '2029-05-31',
    '9': '2032-05-31',
    '10': '2035-05-31',
  },
  centos: { '5': '2017-03-31', '6': '2020-11-30', '7': '2024-06-30', '8': '2021-12-31' },
  ol: { '6': '2021-03-31', '7': '2024-12-31', '8': '2029-07-31', '9': '2032-06-30' },
  amzn: { '2018.03': '2023-12-31', '2': '2026-06-30', '2023': '2029-06-30' },
  sles: {
    '12.5': '2024-10-31',
    '15.1': '2021-01-31',
    '15.2': '2021-12-31',
    '15.3': '2022-12-31',
    '15.4': '2023-12-31',
    '15.5': '2024-12-31',
    '15.6': '2025-12-31',
    '15.7': '2031-07-31',
  },
  'opensuse-leap': {
    '15.1': '2020-11-30',
    '15.2': '2021-11-30',
    '15.3': '2022-11-30',
    '15.4': '2023-11-30',
    '15.5': '2024-12-31',
    '15.6': '2026-04-30',
  },
  mariner: { '1.0': '2023-07-31', '2.0': '2025-07-31' },
}

/**
 * The last day of updates for a platform as scans name it, `DEBIAN_10` or `ALPINE_3.10.4`; `undefined` while it has them,
 * or when nothing is known of it.
 */
export function endedOn(platform: string, now: Date): string | undefined {
  const [id = '', version = ''] = platform.toLowerCase().split('_', 2)
  const days = Object.hasOwn(LAST_DAYS, id) ? LAST_DAYS[id] : undefined
  if (days === undefined) return undefined
  const [major = '', minor] = version.split('.')
  const day = (minor === undefined ? undefined : days[`${major}.${minor}`]) ?? days[major]
  return day !== undefined && now.getTime() > Date.parse(`${day}T23:59:59.999Z`) ? day : undefined
}

/** One sentence for people about a platform that gets no more updates. */
export function endOfLifeRemark(platform: string | undefined, now: Date): string | undefined {
  const day = platform === undefined ? undefined : endedOn(platform, now)
  return day === undefined
    ? undefined
    : `${platform} is past its end of life of ${day}: flaws that were found since then may be missing.`
}
