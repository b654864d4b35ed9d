import { describe, expect } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import type * as ecr from '@aws-sdk/client-ecr'
import type * as kms from '@aws-sdk/client-kms'
import type * as sm from '@aws-sdk/client-secrets-manager'
import { awsCli } from '../support/clients/aws-cli.ts'
import { client, testWith } from '../support/clients/client-test.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { push } from '../support/clients/wire.ts'
import { buildImage } from '../support/image-builder.ts'
import { loginPassword } from '../support/start-registry.ts'

const testCli = testWith('aws')
const testPull = testWith('aws', 'crane')
const testBoto3 = testWith('python-with-boto3')

describe('keys and secrets, by the AWS CLI', () => {
  const stage = useStage()
  const aws = () => awsCli(stage)
  const newKey = async () => {
    const { KeyMetadata } = await aws().json<kms.CreateKeyResponse>('kms', 'create-key', '--description', 'e2e')
    return KeyMetadata.Arn
  }

  testCli('a key encrypts, decrypts, and is found by its alias', async () => {
    const key = await newKey()
    await aws().json('kms', 'create-alias', '--alias-name', 'alias/e2e', '--target-key-id', key)
    const context = ['--encryption-context', 'app=shop']
    // Bytes from files: the versions of the CLI read others differently.
    await writeFile(stage.path('plain'), 'hello')
    const plaintext = ['--plaintext', `fileb://${stage.path('plain')}`]
    const encrypt = ['kms', 'encrypt', '--key-id', 'alias/e2e', ...plaintext, ...context]
    const blob = await aws().text(...encrypt, '--query', 'CiphertextBlob')
    await writeFile(stage.path('cipher'), Buffer.from(blob, 'base64'))
    const decrypt = ['kms', 'decrypt', '--ciphertext-blob', `fileb://${stage.path('cipher')}`]
    const plain = await aws().text(...decrypt, ...context, '--query', 'Plaintext')
    expect(Buffer.from(plain, 'base64').toString()).toBe('hello')
    expect(await aws().failure(...decrypt)).toContain('(InvalidCiphertextException)')
    const keys = await aws().json<kms.ListKeysResponse>('kms', 'list-keys')
    expect(keys.Keys.map(({ KeyArn }) => KeyArn)).toContain(key)
    await aws().json('kms', 'disable-key', '--key-id', key)
    expect(await aws().failure(...encrypt)).toContain('(DisabledException)')
  })

  testPull('a repository with a key is pulled from as long as the key can be used', async () => {
    const key = await newKey()
    const configuration = `encryptionType=KMS,kmsKey=${key}`
    const { repository } = await aws().json<ecr.CreateRepositoryResponse>(
      ...['ecr', 'create-repository', '--repository-name', 'team/sealed', '--encryption-configuration', configuration],
    )
    expect(repository.encryptionConfiguration.kmsKey).toBe(key)
    await push(stage, 'team/sealed', buildImage('sealed'), 'v1')
    const env = { DOCKER_CONFIG: stage.path('docker') }
    const input = await loginPassword(stage.url, '000000000000')
    await run([client('crane'), 'auth', 'login', stage.host, '-u', 'AWS', '--password-stdin'], { env, input })
    const pull = () =>
      attempt([client('crane'), 'pull', `${stage.host}/team/sealed:v1`, stage.path('image'), '--insecure'], { env })
    expect((await pull()).exitCode).toBe(0)
    await aws().json('kms', 'disable-key', '--key-id', key)
    const { exitCode, stderr } = await pull()
    expect([exitCode, stderr.includes('DENIED'), stderr.includes('DisabledException')]).toEqual([1, true, true])
    const start = ['ecr', 'initiate-layer-upload', '--repository-name', 'team/sealed']
    expect(await aws().failure(...start)).toContain('(KmsException)')
    await aws().json('kms', 'enable-key', '--key-id', key)
    expect((await pull()).exitCode).toBe(0)
  })

  testCli('a secret is kept, read, changed and deleted', async () => {
    const named = ['--secret-id', 'ecr-pullthroughcache/hub']
    await aws().json('secretsmanager', 'create-secret', '--name', 'ecr-pullthroughcache/hub', '--secret-string', 'one')
    await aws().json('secretsmanager', 'put-secret-value', ...named, '--secret-string', 'two')
    const read = ['secretsmanager', 'get-secret-value', ...named, '--query', 'SecretString']
    expect(await aws().text(...read)).toBe('two')
    expect(await aws().text(...read, '--version-stage', 'AWSPREVIOUS')).toBe('one')
    const filter = ['--filters', 'Key=name,Values=ecr-pullthroughcache/']
    const listed = await aws().json<sm.ListSecretsResponse>('secretsmanager', 'list-secrets', ...filter)
    expect(listed.SecretList).toHaveLength(1)
    await aws().json('secretsmanager', 'delete-secret', ...named, '--force-delete-without-recovery')
    expect(await aws().failure(...read)).toContain('(ResourceNotFoundException)')
  })
})

describe('keys and secrets, by boto3', () => {
  const stage = useStage()

  testBoto3('every paginator ends, and errors are exceptions of their names', async () => {
    const script = `
import boto3, json, os
options = dict(endpoint_url=os.environ['AWS_ENDPOINT_URL'], region_name='us-east-1')
kms, secrets = boto3.client('kms', **options), boto3.client('secretsmanager', **options)
keys = [kms.create_key()['KeyMetadata']['KeyId'] for _ in range(3)]
for n, key in enumerate(keys): kms.create_alias(AliasName=f'alias/k{n}', TargetKeyId=key)
for n in range(3): secrets.create_secret(Name=f's{n}', SecretBinary=bytes([n]))
def count(client, name, member, **arguments):
    pages = client.get_paginator(name).paginate(PaginationConfig={'PageSize': 2}, **arguments)
    return [len(page[member]) for page in pages]
data = kms.generate_data_key(KeyId=keys[0], KeySpec='AES_256', EncryptionContext={'a': 'b'})
again = kms.decrypt(CiphertextBlob=data['CiphertextBlob'], EncryptionContext={'a': 'b'})
try:
    kms.describe_key(KeyId='alias/none'); refused = None
except kms.exceptions.NotFoundException as error:
    refused = error.response['Error']['Code']
try:
    secrets.get_secret_value(SecretId='none'); missing = None
except secrets.exceptions.ResourceNotFoundException as error:
    missing = error.response['Error']['Message']
print(json.dumps(dict(
    keys=count(kms, 'list_keys', 'Keys'), aliases=count(kms, 'list_aliases', 'Aliases'),
    policies=count(kms, 'list_key_policies', 'PolicyNames', KeyId=keys[0]),
    secrets=count(secrets, 'list_secrets', 'SecretList'), same=data['Plaintext'] == again['Plaintext'],
    value=list(secrets.get_secret_value(SecretId='s2')['SecretBinary']), refused=refused, missing=missing)))
`
    const printed = await run([client('python-with-boto3'), '-c', script], { env: stage.awsEnvironment })
    expect(JSON.parse(printed)).toEqual({
      ...{ keys: [2, 1], aliases: [2, 1], policies: [1], secrets: [2, 1], same: true, value: [2] },
      refused: 'NotFoundException',
      missing: "Secrets Manager can't find the specified secret.",
    })
  })
})
