import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { isRegistryError } from '../errors.ts'
import { parseRegion, parseRegistryId } from '../names.ts'
import { rootPrincipal } from '../principal.ts'
import { actionKey } from './actions.ts'
import { type AccessRequest, decide } from './evaluate.ts'
import { factsOf } from './facts.ts'
import { parseRegistryPolicy, parseRepositoryPolicy } from './parse.ts'
import type { Policy } from './policy.ts'

const registry = { registryId: parseRegistryId('123456789012'), region: parseRegion('eu-west-3') }
const guest = rootPrincipal(parseRegistryId('999999999999'), 'arn:aws:iam::999999999999:root', 'AKIA')

/** Whether the text is a policy. Anything but that and the one refusal passes on. */
function isPolicy(text: string): boolean {
  let isAccepted = false
  for (const parse of [parseRepositoryPolicy, (given: string) => parseRegistryPolicy(given, registry, 'V2')])
    try {
      parse(text)
      isAccepted = true
    } catch (thrown) {
      if (!isRegistryError(thrown, 'invalid-parameter')) throw thrown
    }
  return isAccepted
}

test('whatever the text, it is a policy or refused by the one error', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => !isPolicy(text)))
})

const maybe = <T>(...values: readonly T[]) => fc.constantFrom<T | undefined>(undefined, ...values)
const statement = fc.record({
  Effect: maybe<unknown>('Allow', 'Deny', 'allow', 1),
  Principal: maybe<unknown>('*', { AWS: '*' }, { AWS: ['999999999999'] }, { Service: 'lambda.amazonaws.com' }, {}, []),
  NotPrincipal: maybe<unknown>({ AWS: '999999999999' }, '*'),
  Action: maybe<unknown>('ecr:*', ['ecr:BatchGetImage'], 'ecr:Put*', [], null),
  NotAction: maybe<unknown>('ecr:PutImage'),
  Resource: maybe<unknown>('*', ['arn:aws:ecr:eu-west-3:123456789012:repository/*'], 'arn:aws:s3:::x'),
  Condition: maybe<unknown>(
    {},
    { StringLike: { 'aws:PrincipalArn': ['arn:*', 1, true] } },
    { 'ForAnyValue:StringNotLikeIfExists': { 'aws:username': 'a' } },
    { NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
    { Null: { 'ecr:ResourceTag/a': 'true' } },
    { DateLessThan: { 'aws:CurrentTime': 'soon' } },
    { StringEquals: [] },
  ),
})

/** What is decided about somebody whom no policy of an identity describes. */
function outcomeOf(request: AccessRequest, policies: readonly Policy[]) {
  const resource = policies.map((policy) => ({ name: 'policy', policy }))
  return decide(request, { identity: 'everything', resource }).outcome
}

test('a policy of whatever parts is accepted or refused, and decides without failing; a denial never lets in', () => {
  const facts = factsOf({
    principal: guest,
    action: actionKey('BatchGetImage'),
    ownerAccountId: registry.registryId,
    now: new Date(0),
    resourceTags: [],
  })
  const request = {
    principal: guest,
    action: actionKey('BatchGetImage'),
    resource: 'arn:aws:ecr:eu-west-3:123456789012:repository/app',
    ownerAccountId: registry.registryId,
    facts,
  }
  let accepted = 0
  fc.assert(
    fc.property(fc.array(statement, { maxLength: 4 }), (statements) => {
      const text = JSON.stringify({ Version: '2012-10-17', Statement: statements })
      if (!isPolicy(text)) return
      accepted++
      for (const parse of [parseRepositoryPolicy, (given: string) => parseRegistryPolicy(given, registry, 'V2')])
        try {
          const policy = parse(text)
          const decision = outcomeOf(request, [policy])
          const allowances = policy.statements.filter(({ effect }) => effect === 'Allow')
          // Taking denials away can only let more in.
          if (decision === 'allowed')
            expect(outcomeOf(request, [{ ...policy, statements: allowances }])).toBe('allowed')
          if (allowances.length === 0) expect(decision).not.toBe('allowed')
        } catch (thrown) {
          if (!isRegistryError(thrown)) throw thrown
        }
    }),
    { numRuns: 2000 },
  )
  expect(accepted).toBeGreaterThan(0)
})
