import { existsSync } from 'node:fs'
import { join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import { capture } from '../child-processes.ts'
import type { RegistryPeer, RunningRegistry } from '../registry-peer.ts'
import { freePort, startServer } from '../server-process.ts'

const program = join(import.meta.dir, '..', '..', 'bin', 'ecru')

/** Ecru itself, from this checkout, in its default profile with everything on: logins, fsync, request log. */
export const ecru: RegistryPeer = ecruWith({})

/** The same with everything encrypted at rest. */
export const encryptedEcru: RegistryPeer = ecruWith({ ECRU_ENCRYPTION: 'on' })

/** The same without decisions by policies, within an account. */
export const ecruWithoutPolicies: RegistryPeer = ecruWith({ ECRU_IAM: 'off' })

/** The same with other settings, and logins for another region. */
export function ecruWith(settings: Readonly<Record<string, string>>, region = 'us-east-1'): RegistryPeer {
  return {
    name: 'Ecru',
    async locate() {
      return existsSync(program)
        ? { version: `${packageJson.version} on Bun ${Bun.version}` }
        : { missing: 'no bin/ecru' }
    },
    async start(directory) {
      const port = await freePort()
      const url = `http://127.0.0.1:${port}`
      const server = await startServer([program, 'serve'], `${url}/v2/`, join(directory, 'log'), {
        ECRU_HOST: '127.0.0.1',
        ECRU_PORT: `${port}`,
        ECRU_DATA_DIR: join(directory, 'data'),
        ...settings,
      })
      return {
        ...server,
        name: 'Ecru',
        url,
        authorization: await login(url, region),
        async createRepository(repositoryName) {
          await callEcr(url, 'CreateRepository', { repositoryName }, region)
        },
      }
    },
  }
}

async function login(url: string, region: string): Promise<string> {
  const answer = await callEcr(url, 'GetAuthorizationToken', {}, region)
  const token = (answer as { authorizationData: readonly { authorizationToken: string }[] }).authorizationData[0]
  if (token === undefined) throw new Error('GetAuthorizationToken answered without a token')
  return `Basic ${token.authorizationToken}`
}

/** Runs a command of an operator against a running Ecru, and answers what it writes. */
export async function runEcru({ url }: RunningRegistry, command: readonly string[]): Promise<string> {
  return await capture([program, ...command, '--url', url])
}

/** Calls an operation of Ecru's ECR API as an administrator of the default account; throws its error message. */
export async function callEcr(url: string, operation: string, input: object, region = 'us-east-1'): Promise<unknown> {
  return callAws(url, 'ecr', `AmazonEC2ContainerRegistry_V20150921.${operation}`, input, region)
}

/** The same for any service that speaks AWS JSON; `target` is what it calls the operation. */
export async function callAws(
  url: string,
  service: string,
  target: string,
  input: object,
  region = 'us-east-1',
): Promise<unknown> {
  const headers = awsHeaders(service, target, region)
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(input) })
  const body = await response.text()
  if (!response.ok) throw new Error(`${target} answered ${response.status}: ${body}`)
  return JSON.parse(body)
}

/** Headers as an AWS SDK sends them; the default profile does not check the signature of a foreign key. */
function awsHeaders(service: string, target: string, region: string): Record<string, string> {
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const scope = `000000000000/${now.slice(0, 8)}/${region}/${service}/aws4_request`
  return {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': target,
    'x-amz-date': now,
    authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
  }
}
