import { isRepositoryName } from '../domain/names.ts'
import { duration, HOUR_MS, list, MINUTE_MS, matching, oneOf, readAs, SECOND_MS, text, YEAR_MS } from './schema.ts'

/** The variables of scans and of what they compare images with, as a part of all. */
export const SCAN_VARIABLES = {
  ECRU_ADVISORIES_SOURCE: {
    schema: text(),
    flag: '--advisories-source <place>',
    doc: 'Where advisories come from: a directory, or the URL of a bucket in the layout of OSV. Unset: only from `ecru advisories import`.',
  },
  ECRU_ADVISORIES_ECOSYSTEMS: {
    schema: list(/^[\w .-]{1,60}$/, 'must be folders of the source such as Debian,Alpine,npm, with commas between'),
    flag: '--advisories-ecosystems <names>',
    doc: 'Which folders of the source are fetched, with commas between. Unset: all that it has.',
  },
  ECRU_ADVISORIES_REPOSITORY: {
    schema: readAs(
      (given) => (isRepositoryName(given) ? given : undefined),
      'must be the name of a repository, such as ecru/advisories',
    ),
    doc: 'A repository of the default registry: bundles of advisories that are pushed there, by whoever has `ecru:ImportAdvisories`, are imported. Unset: no push imports any.',
  },
  ECRU_ADVISORIES_INTERVAL: {
    schema: duration(0, YEAR_MS),
    default: '6h',
    doc: 'How often the source is asked for changes; 0 leaves it to `ecru advisories fetch`.',
  },
  ECRU_ADVISORIES_MAX_AGE: {
    schema: duration(60 * MINUTE_MS, 10 * YEAR_MS),
    default: '7d',
    doc: 'Advisories that describe an older state of the world are too old: findings that rest on them say so.',
  },
  ECRU_ADVISORIES_CA: {
    schema: text(),
    doc: "File with the certificates of authorities, in PEM, that the source's certificate may come from. Unset: the well-known ones.",
  },
  ECRU_SCAN_DURATION: {
    schema: duration(0, 10 * YEAR_MS),
    default: '0',
    doc: 'How long after its push an image is scanned continuously; 0: for as long as it is there.',
  },
  ECRU_SCAN_PULL_DURATION: {
    schema: duration(0, 10 * YEAR_MS),
    default: '14d',
    doc: 'How long after its last pull an image is scanned continuously, also when its push is longer ago than `ECRU_SCAN_DURATION`.',
  },
  ECRU_SCAN_ENGINE: {
    schema: oneOf('ecru', 'trivy', 'adapter'),
    default: 'ecru',
    doc: "What scans: `ecru` itself, `trivy`'s command line, or a scanner behind Harbor's scanner-adapter API (`adapter`).",
  },
  ECRU_SCAN_TIMEOUT: {
    schema: duration(SECOND_MS, HOUR_MS),
    default: '10m',
    doc: 'How long a scan by another scanner may take; then it has failed.',
  },
  ECRU_SCAN_TRIVY: {
    schema: text(),
    default: 'trivy',
    doc: "Trivy's program, for `ECRU_SCAN_ENGINE=trivy`. It also sees the variables `TRIVY_*`.",
  },
  ECRU_SCAN_ADAPTER_URL: {
    schema: matching(/^https?:\/\/[^\s@?#]+$/, 'must be an http or https URL without credentials'),
    doc: 'Where the scanner is, for `ECRU_SCAN_ENGINE=adapter`; without `/api/v1`.',
  },
  ECRU_SCAN_ADAPTER_AUTHORIZATION: {
    schema: matching(/^(Basic|Bearer) [\x21-\x7e]{1,4096}$/, 'must be Basic or Bearer, a space and the credentials'),
    isSecret: true,
    doc: 'What the scanner wants to see in the header Authorization. Unset: nothing.',
  },
  ECRU_SCAN_ADAPTER_CA: {
    schema: text(),
    doc: "File with the certificates of authorities, in PEM, that the scanner's certificate may come from. Unset: the well-known ones.",
  },
  ECRU_SCAN_REGISTRY_URL: {
    schema: matching(/^https?:\/\/[^\s@?#]+$/, 'must be an http or https URL without credentials'),
    doc: 'Where the scanner finds this registry, for `ECRU_SCAN_ENGINE=adapter`.',
  },
  ECRU_SCAN_REGISTRY_AUTHORIZATION: {
    schema: matching(/^(Basic|Bearer) [\x21-\x7e]{1,4096}$/, 'must be Basic or Bearer, a space and the credentials'),
    isSecret: true,
    doc: 'By which the scanner may pull here, as the value of the header Authorization: that of a login token (`ecru admin token create`) for the user `AWS`.',
  },
} as const
