import { duration, matching, oneOf, text } from './schema.ts'

const SECOND_MS = 1000
const HOUR_MS = 3600 * SECOND_MS
const YEAR_MS = 365 * 24 * HOUR_MS

/** The variables of scans, as a part of all. */
export const SCAN_VARIABLES = {
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
