import { describe, expect, test } from 'bun:test'
import cloudTrailModel from '../../models/cloudtrail.json' with { type: 'json' }
import cloudWatchModel from '../../models/cloudwatch.json' with { type: 'json' }
import ecrModel from '../../models/ecr.json' with { type: 'json' }
import ecrPublicModel from '../../models/ecr-public.json' with { type: 'json' }
import eventsModel from '../../models/events.json' with { type: 'json' }
import iamModel from '../../models/iam.json' with { type: 'json' }
import kmsModel from '../../models/kms.json' with { type: 'json' }
import secretsModel from '../../models/secretsmanager.json' with { type: 'json' }
import stsModel from '../../models/sts.json' with { type: 'json' }
import { blobNotFound, repositoryNotFound } from '../domain/errors.ts'
import { awsErrorOf, ociErrorOf, wireTable } from './errors.ts'

/** OCI distribution 1.1, "Error codes", with the two that registries add: TAG_INVALID (as ECR) and UNKNOWN. */
const OCI_CODES = [
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DENIED',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'TAG_INVALID',
  'TOOMANYREQUESTS',
  'UNAUTHORIZED',
  'UNKNOWN',
  'UNSUPPORTED',
]

/** Common to all AWS services, and so in no service's model. */
const COMMON_AWS_ERRORS = [
  'AccessDeniedException',
  'ExpiredTokenException',
  'IncompleteSignatureException',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'RequestEntityTooLargeException',
  'SerializationException',
  'ThrottlingException',
  'UnknownOperationException',
  'UnrecognizedClientException',
  'UnsupportedOperationException',
]

const entries = Object.entries(wireTable)
const shapes = [
  cloudTrailModel,
  cloudWatchModel,
  ecrModel,
  ecrPublicModel,
  eventsModel,
  kmsModel,
  secretsModel,
].flatMap((model) => Object.entries(model.shapes))
const modelErrors = shapes.flatMap(([name, shape]) => ('exception' in shape ? [name] : []))
/** Services of the Query protocol have names of their own for their exceptions on the wire. */
const queryErrors = [iamModel, stsModel].flatMap(({ shapes }) =>
  Object.values(shapes).flatMap((shape) => ('error' in shape ? [shape.error.code] : [])),
)

describe('the wire table', () => {
  test('names AWS errors that the models have, or that all services share', () => {
    const strange = entries.filter(
      ([, { aws }]) => ![...modelErrors, ...queryErrors, ...COMMON_AWS_ERRORS].includes(aws.code),
    )
    expect(strange).toEqual([])
  })

  test('names OCI codes of the specification', () => {
    expect(entries.filter(([, { oci }]) => oci !== null && !OCI_CODES.includes(oci.code))).toEqual([])
  })

  test('answers nobody’s fault with 5xx, but for a full disk and for other registries that fail', () => {
    const blamed = entries.filter(([, { oci, aws }]) => aws.status >= 500 || (oci !== null && oci.status >= 500))
    expect(blamed.map(([code]) => code)).toEqual(['storage-full', 'upstream-unavailable', 'upstream-wrong'])
  })
})

test('what is no error of ours is a bug, and says nothing of itself', () => {
  for (const errorOf of [awsErrorOf, ociErrorOf]) {
    const wire = errorOf(new TypeError('the secret is x is not a function'))
    expect(wire).toMatchObject({ status: 500, isBug: true })
    expect(wire.message).not.toContain('secret')
  }
})

test('an error keeps its sentence, unless ECR says another one on /v2/', () => {
  const place = { name: 'team/app', registry: { registryId: '123456789012' } }
  expect(ociErrorOf(repositoryNotFound(place))).toMatchObject({ status: 404, code: 'NAME_UNKNOWN' })
  expect(awsErrorOf(repositoryNotFound(place)).message).toContain("'team/app' does not exist in the registry")
  expect(ociErrorOf(blobNotFound('sha256:0'))).toMatchObject({ status: 404, code: 'BLOB_UNKNOWN' })
})
