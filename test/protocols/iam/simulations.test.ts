import { afterEach, beforeEach, expect, test } from 'bun:test'
import {
  AttachUserPolicyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  GetContextKeysForCustomPolicyCommand,
  GetContextKeysForPrincipalPolicyCommand,
  PutGroupPolicyCommand,
  SimulateCustomPolicyCommand,
  SimulatePrincipalPolicyCommand,
} from '@aws-sdk/client-iam'
import { createIam, type IamFixture, policyText, refusalOf } from './iam-fixture.ts'

let iam: IamFixture
beforeEach(async () => {
  iam = await createIam()
})
afterEach(async () => {
  expect(iam.reported).toEqual([])
  await iam.close()
})

const REPOSITORY = 'arn:aws:ecr:eu-west-3:123456789012:repository/app'
const BY_ADDRESS = policyText('ecr:*', '*', { Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } })

test('given policies are tried on every action and resource, with the context that is given', async () => {
  const question = { PolicyInputList: [policyText('ecr:Get*', REPOSITORY), BY_ADDRESS] }
  const ask = async (more: object) => {
    const simulation = { ...question, ActionNames: ['ecr:GetLifecyclePolicy', 'ecr:PutImage'], ...more }
    const { EvaluationResults } = await iam.client.send(new SimulateCustomPolicyCommand(simulation))
    return EvaluationResults?.map(({ EvalDecision }) => EvalDecision)
  }
  const entry = { ContextKeyName: 'aws:SourceIp', ContextKeyValues: ['10.1.2.3'], ContextKeyType: 'ip' as const }
  expect(await ask({ ResourceArns: [REPOSITORY] })).toEqual(['allowed', 'implicitDeny'])
  expect(await ask({ ResourceArns: [REPOSITORY], ContextEntries: [entry] })).toEqual(['allowed', 'allowed'])
  const boundary = policyText('ecr:GetLifecyclePolicy', '*')
  const bounded = { ContextEntries: [entry], PermissionsBoundaryPolicyInputList: [boundary] }
  expect(await ask(bounded)).toEqual(['allowed', 'implicitDeny'])
  const missing = new SimulateCustomPolicyCommand({ ...question, ActionNames: ['ecr:PutImage'], MaxItems: 1 })
  const { EvaluationResults, IsTruncated } = await iam.client.send(missing)
  expect(EvaluationResults?.[0]).toMatchObject({ EvalResourceName: '*', MissingContextValues: ['aws:SourceIp'] })
  expect(IsTruncated).toBe(false)
})

test('the policies of a user are tried as they would be enforced', async () => {
  await iam.client.send(new CreateUserCommand({ UserName: 'u' }))
  const PolicyArn = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly'
  await iam.client.send(new AttachUserPolicyCommand({ UserName: 'u', PolicyArn }))
  const PolicySourceArn = 'arn:aws:iam::123456789012:user/u'
  const deny = policyText('ecr:ListImages', '*').replace('Allow', 'Deny')
  const ActionNames = ['ecr:BatchGetImage', 'ecr:PutImage', 'ecr:ListImages']
  const ask = new SimulatePrincipalPolicyCommand({ PolicySourceArn, ActionNames, PolicyInputList: [deny] })
  const { EvaluationResults } = await iam.client.send(ask)
  expect(EvaluationResults?.map(({ EvalDecision }) => EvalDecision)).toEqual([
    'allowed',
    'implicitDeny',
    'explicitDeny',
  ])
  expect(EvaluationResults?.[0]?.MatchedStatements).toEqual([
    { SourcePolicyId: PolicyArn, SourcePolicyType: 'aws-managed' },
  ])
  const other = iam.clientOf('999999999999')
  expect((await refusalOf(other.send(ask)))[0]).toBe('AccessDenied')
  const gone = new SimulatePrincipalPolicyCommand({ PolicySourceArn: `${PolicySourceArn}x`, ActionNames })
  expect((await refusalOf(iam.client.send(gone)))[0]).toBe('NoSuchEntityException')
})

test('what the policy of a resource gives to a role, its boundary limits; what it gives to a user, not', async () => {
  const PolicyDocument = policyText('ecr:GetLifecyclePolicy', '*')
  await iam.client.send(new CreatePolicyCommand({ PolicyName: 'bound', PolicyDocument }))
  const PermissionsBoundary = 'arn:aws:iam::123456789012:policy/bound'
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: '123456789012' } }],
  })
  await iam.client.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument, PermissionsBoundary }))
  await iam.client.send(new CreateUserCommand({ UserName: 'u', PermissionsBoundary }))
  const ask = async (PolicySourceArn: string) => {
    const ResourcePolicy = policyText('ecr:PutImage', REPOSITORY, { Principal: { AWS: PolicySourceArn } })
    const simulation = { PolicySourceArn, ResourcePolicy, ActionNames: ['ecr:PutImage'], ResourceArns: [REPOSITORY] }
    const { EvaluationResults } = await iam.client.send(new SimulatePrincipalPolicyCommand(simulation))
    return EvaluationResults?.[0]?.EvalDecision
  }
  expect(await ask('arn:aws:iam::123456789012:role/r')).toBe('implicitDeny')
  expect(await ask('arn:aws:iam::123456789012:user/u')).toBe('allowed')
})

test('the condition keys that policies ask for are named, those of a group too', async () => {
  const given = await iam.client.send(new GetContextKeysForCustomPolicyCommand({ PolicyInputList: [BY_ADDRESS] }))
  expect(given.ContextKeyNames).toEqual(['aws:SourceIp'])
  await iam.client.send(new CreateGroupCommand({ GroupName: 'g' }))
  const policy = { GroupName: 'g', PolicyName: 'p', PolicyDocument: BY_ADDRESS }
  await iam.client.send(new PutGroupPolicyCommand(policy))
  const PolicySourceArn = 'arn:aws:iam::123456789012:group/g'
  const ofGroup = await iam.client.send(new GetContextKeysForPrincipalPolicyCommand({ PolicySourceArn }))
  expect(ofGroup.ContextKeyNames).toEqual(['aws:SourceIp'])
})

test('what is no policy is refused', async () => {
  const bad = new SimulateCustomPolicyCommand({ PolicyInputList: ['{'], ActionNames: ['ecr:PutImage'] })
  expect((await refusalOf(iam.client.send(bad)))[0]).toBe('InvalidInputException')
})
