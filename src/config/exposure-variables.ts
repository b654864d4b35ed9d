import { isRegion } from '../domain/names.ts'
import { list, readAs, yesOrNo } from './schema.ts'

/** The variables of how others reach the port, as a part of all. */
export const EXPOSURE_VARIABLES = {
  ECRU_TLS_CERT: {
    schema: list(/^.+$/, 'must be a file, or several with commas between'),
    flag: '--tls-cert <file>',
    doc: 'File with the certificate chain in PEM; with it the port speaks HTTPS. Several, with commas between, each serve the host names in them.',
  },
  ECRU_TLS_KEY: {
    schema: list(/^.+$/, 'must be a file, or several with commas between'),
    flag: '--tls-key <file>',
    doc: "File with the certificate's private key in PEM; of several, in the same order.",
  },
  ECRU_TLS_HOSTS: {
    schema: list(
      /^(\*\.)?[0-9A-Za-z]([0-9A-Za-z.-]{0,251}[0-9A-Za-z])?$|^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$/,
      'must be host names or addresses with commas between, without ports; a name may begin with `*.`',
    ),
    flag: '--tls-hosts <names>',
    doc: 'Speak HTTPS by a certificate authority of its own, for these host names and addresses (and this machine); `ecru trust` tells clients.',
  },
  ECRU_AWS_HOSTS: {
    schema: readAs((given) => {
      const regions = given.split(',').map((item) => item.trim())
      return regions.every(isRegion) ? regions : undefined
    }, 'must be names of regions with commas between, such as eu-west-3'),
    flag: '--aws-hosts <regions>',
    doc: "Stand in for AWS in these regions where DNS says so: repository URIs carry ECR's own host names, and the own authority vouches for those of ECR, STS and their neighbours.",
  },
  ECRU_ALLOW_PLAIN_HTTP: {
    schema: yesOrNo(),
    default: 'false',
    flag: '--allow-plain-http',
    doc: 'Let the server profile listen without TLS on an address that others reach, because a proxy in front ends TLS.',
  },
  ECRU_ALLOW_OPEN_ACCESS: {
    schema: yesOrNo(),
    default: 'false',
    flag: '--allow-open-access',
    doc: 'Let the dev profile listen on an address that others reach, though everyone there is an administrator (a container on a private network).',
  },
} as const
