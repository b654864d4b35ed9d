import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import { type Bench, interleave, type Workload, withFreshRegistry } from '../bench.ts'
import { hammerHead } from '../head-load.ts'
import { ecru, ecruWithoutPolicies } from '../peers/ecru.ts'
import { pushSmallImage } from '../registry-client.ts'
import type { RegistryPeer } from '../registry-peer.ts'
import { atLeastLimit } from '../row.ts'
import { hammerGet } from '../wrk.ts'

const OFF = 'policies off'
const REPOSITORY = 'bench/policies'

/** A dozen statements that are about other things, one that denies by address, and the one that allows. */
const POLICY = {
  Version: '2012-10-17',
  Statement: [
    ...Array.from({ length: 12 }, (_, index) => ({
      Effect: 'Allow',
      Action: ['ecr:Describe*', 'ecr:List*'],
      Resource: `arn:aws:ecr:*:*:repository/team-${index}/*`,
    })),
    {
      Effect: 'Deny',
      Action: 'ecr:*',
      Resource: '*',
      Condition: { NotIpAddress: { 'aws:SourceIp': ['127.0.0.0/8', '10.0.0.0/8'] } },
    },
    { Effect: 'Allow', Action: ['ecr:GetAuthorizationToken', 'ecr:BatchGetImage'], Resource: '*' },
  ],
}

/** What decisions cost: manifests by tag for a user whose policies are asked each time, beside the same with `ECRU_IAM=off`. */
export const policies: Workload = {
  name: 'policies',
  async run(bench) {
    const contestants = [
      { name: 'Ecru', peer: ecru },
      { name: OFF, peer: ecruWithoutPolicies },
    ]
    const samples = await interleave(bench, 'policies', contestants, ({ peer }) => measure(bench, peer))
    return ['GET', 'HEAD'].map((method) => {
      const taken = [...samples(method)]
      return {
        title: `manifest ${method} by tag, as a user with policies`,
        unit: 'requests/s',
        better: 'higher',
        samples: new Map(taken.filter(([name]) => name !== OFF)),
        limits: new Map(taken.filter(([name]) => name === OFF)),
        budgets: [atLeastLimit(0.9, OFF)],
      }
    })
  },
}

function measure(bench: Bench, peer: RegistryPeer): Promise<Record<string, number>> {
  return withFreshRegistry(bench, peer, async (registry) => {
    await registry.createRepository(REPOSITORY)
    await pushSmallImage(registry, REPOSITORY, 'latest')
    const url = `${registry.url}/v2/${REPOSITORY}/manifests/latest`
    const headers = {
      accept: 'application/vnd.oci.image.manifest.v1+json',
      authorization: await loginOfUser(registry.url),
    }
    const seconds = bench.quick ? 1 : 4
    await hammerHead(url, headers, seconds / 2)
    return { GET: await hammerGet(url, headers, seconds), HEAD: await hammerHead(url, headers, seconds) }
  })
}

/** Makes a user with that policy, and logs him in. */
async function loginOfUser(url: string): Promise<string> {
  await callIam(url, { Action: 'CreateUser', UserName: 'bench' })
  const PolicyDocument = JSON.stringify(POLICY)
  await callIam(url, { Action: 'PutUserPolicy', UserName: 'bench', PolicyName: 'bench', PolicyDocument })
  const answer = await callIam(url, { Action: 'CreateAccessKey', UserName: 'bench' })
  const [accessKeyId, secretAccessKey] = ['AccessKeyId', 'SecretAccessKey'].map(
    (name) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(answer)?.[1] ?? '',
  )
  const credentials = { accessKeyId: accessKeyId ?? '', secretAccessKey: secretAccessKey ?? '' }
  const client = new ECRClient({ endpoint: url, region: 'us-east-1', credentials })
  const { authorizationData: [login] = [] } = await client.send(new GetAuthorizationTokenCommand({}))
  return `Basic ${login?.authorizationToken}`
}

/** Calls IAM as an administrator; the default profile does not check the signature of a foreign key. */
async function callIam(url: string, input: Readonly<Record<string, string>>): Promise<string> {
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const scope = `000000000000/${now.slice(0, 8)}/us-east-1/iam/aws4_request`
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-amz-date': now,
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=content-type;host;x-amz-date, Signature=${'0'.repeat(64)}`,
    },
    body: new URLSearchParams({ Version: '2010-05-08', ...input }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${input.Action} answered ${response.status}: ${text}`)
  return text
}
