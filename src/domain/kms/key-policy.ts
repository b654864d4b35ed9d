import { accountRootArn } from '../arn.ts'
import { limitExceeded } from '../errors.ts'
import { POLICY_SIZES, parseResourcePolicy, policySize } from '../iam/iam-policies.ts'
import { PolicyMistake } from '../iam/policy-mistake.ts'
import type { Registry } from '../names.ts'
import { keyPolicyMalformed } from './errors.ts'

/** What a key gets that is made without a policy: its account decides. */
export function defaultKeyPolicy(home: Registry): string {
  return print('key-default-1', [
    {
      Sid: 'Enable IAM User Permissions',
      Effect: 'Allow',
      Principal: { AWS: accountRootArn(home) },
      Action: 'kms:*',
      Resource: '*',
    },
  ])
}

/** Of a key that the registry keeps for a service: the account uses it through the service only, and changes nothing. */
export function managedKeyPolicy(home: Registry, service: string): string {
  const dns = `${service}.${home.region}.amazonaws.com`
  return print(`auto-${service}-1`, [
    {
      Sid: `Allow access through ${service} for all principals in the account that are authorized to use it`,
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: [
        'kms:Encrypt',
        'kms:Decrypt',
        'kms:ReEncrypt*',
        'kms:GenerateDataKey*',
        'kms:CreateGrant',
        'kms:DescribeKey',
        'kms:RetireGrant',
      ],
      Resource: '*',
      Condition: { StringEquals: { 'kms:CallerAccount': home.registryId, 'kms:ViaService': dns } },
    },
    {
      Sid: 'Allow direct access to key metadata to the account',
      Effect: 'Allow',
      Principal: { AWS: accountRootArn(home) },
      Action: ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:RevokeGrant'],
      Resource: '*',
    },
  ])
}

/** Throws `key-policy-malformed`, `limit-exceeded`. */
export function checkKeyPolicy(text: string): void {
  if (policySize(text) > POLICY_SIZES.key) throw limitExceeded(POLICY_SIZES.key, 'characters of a key policy')
  try {
    parseResourcePolicy(text)
  } catch (cause) {
    if (!(cause instanceof PolicyMistake)) throw cause
    const isPrincipal = cause.kind === 'principal'
    const sentence = isPrincipal ? 'Policy contains a statement with one or more invalid principals.' : cause.message
    throw keyPolicyMalformed(sentence, { cause })
  }
}

function print(id: string, statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Id: id, Statement: statements }, undefined, 2)
}
