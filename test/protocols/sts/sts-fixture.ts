import { STSClient } from '@aws-sdk/client-sts'
import type { JWK } from 'jose'
import type { RoleAttributes } from '../../../src/domain/iam-entities/entity.ts'
import { randomIds } from '../../../src/lib/ids.ts'
import { loadedQuery } from '../../../src/protocols/aws/loaded.ts'
import { createQuery } from '../../../src/protocols/aws/query.ts'
import { detachedContext } from '../../../src/protocols/http/context.ts'
import { stsService } from '../../../src/protocols/sts/operations.ts'
import { Access } from '../../../src/services/access/access.ts'
import { RefusalSeal } from '../../../src/services/access/refusal-seal.ts'
import { RootKeys } from '../../../src/services/credentials/root-keys.ts'
import { policyTextsOf } from '../../../src/services/iam/policy-texts.ts'
import { AuthorizationMessages } from '../../../src/services/sts/authorization-messages.ts'
import { RoleSessions } from '../../../src/services/sts/role-sessions.ts'
import { UserSessions } from '../../../src/services/sts/user-sessions.ts'
import { WebIdentitySessions } from '../../../src/services/sts/web-identity-sessions.ts'
import { createServices, registry } from '../../support/service-fixture.ts'
import { testMasterKey } from '../../support/test-master-key.ts'

export const ACCOUNT = registry.registryId
export const ROOT = { accessKeyId: 'AKIAROOTROOTROOTROOT', secretAccessKey: 'root-secret' }
export const USER = { accessKeyId: 'AKIAUSERUSERUSERUSER', secretAccessKey: 'user-secret' }
export const USER_ARN = `arn:aws:iam::${ACCOUNT}:user/ci`
export const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/deploy`

export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** What STS answers, called through the SDK over a socket, and the services behind it. Everybody's keys are verified. */
export async function createSts() {
  const services = await createServices()
  const { metadata, clock, throttle, callers, sessions } = services
  const refusalSeal = new RefusalSeal(testMasterKey, randomIds)
  const access = new Access(metadata, clock, throttle, {
    mode: 'enforce',
    identityPoliciesOf: (principal) => policyTextsOf(metadata, principal),
    sealRefusal: (refused) => refusalSeal.seal(refused),
  })
  const issuers = new Map<string, readonly JWK[]>()
  const keys = { find: async (issuer: string) => issuers.get(issuer) ?? [] }
  const sts = stsService({
    authorizationMessages: new AuthorizationMessages(access, refusalSeal),
    roleSessions: new RoleSessions(metadata, access, sessions),
    userSessions: new UserSessions(metadata, access, callers, sessions),
    webIdentitySessions: new WebIdentitySessions(metadata, sessions, keys, clock),
  })
  await new RootKeys(metadata, registry, clock, randomIds).put(ROOT)
  const reported: unknown[] = []
  const query = createQuery([loadedQuery(sts)], {
    clock: { now: () => new Date() },
    profile: 'server',
    callers,
    report: (thrown) => reported.push(thrown),
  })
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request) => query(request, detachedContext()),
  })
  const clients: STSClient[] = []
  return {
    ...services,
    access,
    issuers,
    reported,
    url: `http://127.0.0.1:${server.port}`,
    /** A client with somebody's keys. */
    as(credentials: Keys): STSClient {
      const endpoint = `http://127.0.0.1:${server.port}`
      const client = new STSClient({ endpoint, region: 'eu-west-3', credentials, maxAttempts: 1 })
      clients.push(client)
      return client
    },
    async putUser(policy?: object): Promise<void> {
      await metadata.transact(async (tx) => {
        const user = await tx.iam.insert({
          ...{
            accountId: ACCOUNT,
            kind: 'user',
            name: 'ci',
            path: '/',
            uniqueId: 'AIDACIUSER0000000001',
            createdAt: clock.now(),
          },
          ...{ tags: [{ key: 'team', value: 'build' }], attributes: {} },
        })
        if (user === undefined) throw new Error('the name was free')
        if (policy !== undefined) await tx.iam.putInline(user.id, { name: 'own', text: JSON.stringify(policy) })
        const { id, uniqueId, tags } = user
        await tx.credentials.putAccessKey({
          ...{ ...USER, accountId: ACCOUNT, principalArn: USER_ARN, createdAt: clock.now(), status: 'Active' },
          user: { id, uniqueId, tags },
        })
      })
    },
    async putRole(trust: object, attributes: Partial<RoleAttributes> = {}, policy?: object): Promise<void> {
      await metadata.transact(async (tx) => {
        const role = await tx.iam.insert({
          ...{
            accountId: ACCOUNT,
            kind: 'role',
            name: 'deploy',
            path: '/',
            uniqueId: 'AROADEPLOY0000000001',
            tags: [],
          },
          createdAt: clock.now(),
          attributes: { trustPolicy: JSON.stringify(trust), maxSessionSeconds: 7200, ...attributes },
        })
        if (role === undefined) throw new Error('the name was free')
        if (policy !== undefined) await tx.iam.putInline(role.id, { name: 'own', text: JSON.stringify(policy) })
      })
    },
    async putProvider(url: string, clientIds: readonly string[]): Promise<string> {
      const name = url.replace(/^https?:\/\//, '')
      const uniqueId = `arn:aws:iam::${ACCOUNT}:oidc-provider/${name}`
      await metadata.transact((tx) =>
        tx.iam.insert({
          ...{ accountId: ACCOUNT, kind: 'oidc-provider', name, path: '/', uniqueId, createdAt: clock.now(), tags: [] },
          attributes: { url, clientIds, thumbprints: [] },
        }),
      )
      return uniqueId
    },
    async close(): Promise<void> {
      for (const client of clients) client.destroy()
      await server.stop(true)
      await services.close()
    },
  }
}

export type Sts = Awaited<ReturnType<typeof createSts>>

export function trust(statement: object): object {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', ...statement }] }
}

export function allow(action: string | readonly string[], resource = '*'): object {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: resource }] }
}

/** The code and the text of what a client was refused. */
export async function refusal(work: Promise<unknown>): Promise<{ readonly code: string; readonly message: string }> {
  const thrown: unknown = await work.then(
    (answer) => ({ name: 'nothing refused', message: JSON.stringify(answer) }),
    (error: unknown) => error,
  )
  const { name, Code, message } = thrown as { name: string; Code?: string; message: string }
  return { code: Code ?? name, message }
}
