import { expect, test } from 'bun:test'
import { parseRegion, parseRegistryId } from '../../src/domain/names.ts'
import { userPrincipal } from '../../src/domain/principal.ts'
import type { RobotToken } from '../../src/stores/robot-tokens.ts'
import type { SessionRecord } from '../../src/stores/sessions.ts'
import { minute, type StoreOf } from './metadata-store-records.ts'

const accountId = parseRegistryId('123456789012')
const USER_ARN = 'arn:aws:iam::123456789012:user/ci'

/** A session of a user from the first minute to the tenth. */
export function sessionRecord(accessKeyId: string, issuedAt = minute(1)): SessionRecord {
  const session = { name: 's', issuedAt, expiresAt: minute(10), policies: ['{}'], facts: { 'a:b': 'c' } }
  return {
    ...{ accessKeyId, secretAccessKey: 'secret', tokenHash: 'hash', identityId: 'AIDA1', transitiveTagKeys: ['team'] },
    principal: { ...userPrincipal(accountId, USER_ARN, 'AIDA1', accessKeyId), session },
    parentKeyId: undefined,
  }
}

export function robotToken(id: string): RobotToken {
  return {
    ...{ id, secretHash: 'hash', accountId, region: parseRegion('eu-west-3'), userArn: USER_ARN, userId: 'AIDA1' },
    ...{ repositories: ['team/*'], actions: ['pull'], createdAt: minute(1), expiresAt: minute(10) },
  }
}

export function sessionCases(store: StoreOf): void {
  test('a session comes back with its principal', async () => {
    const record = { ...sessionRecord('ASIA1'), parentKeyId: 'AKIA1' }
    await store().transact((tx) => tx.sessions.insert(record))
    expect(await store().view.sessions.find('ASIA1')).toEqual(record)
    expect(await store().view.sessions.find('ASIA2')).toBeUndefined()
  })

  test('the sessions of an identity can be revoked up to a moment, which callers hear of', async () => {
    await store().transact(async (tx) => {
      await tx.sessions.insert(sessionRecord('ASIAOLD', minute(1)))
      await tx.sessions.insert(sessionRecord('ASIANEW', minute(3)))
    })
    const before = store().policyRevision
    expect(await store().transact((tx) => tx.sessions.revoke('arn:aws:iam::1:user/other', minute(5)))).toBe(0)
    expect(await store().transact((tx) => tx.sessions.revoke(USER_ARN, minute(2)))).toBe(1)
    expect(store().policyRevision).toBeGreaterThan(before)
    expect(await store().view.sessions.find('ASIAOLD')).toBeUndefined()
    expect(await store().view.sessions.find('ASIANEW')).toBeDefined()
  })

  test('ended sessions are cleared away, so many at a time', async () => {
    await store().transact(async (tx) => {
      for (const id of ['ASIA1', 'ASIA2', 'ASIA3']) await tx.sessions.insert(sessionRecord(id))
    })
    const clear = (at: Date) => store().transact((tx) => tx.sessions.deleteEnded(at, 2))
    expect(await clear(minute(10))).toBe(0)
    expect([await clear(minute(11)), await clear(minute(11)), await clear(minute(11))]).toEqual([2, 1, 0])
  })

  test("robots' tokens come back, in order, until they are deleted or have ended", async () => {
    await store().transact(async (tx) => {
      for (const id of ['b', 'a']) await tx.robotTokens.insert(robotToken(id))
    })
    expect(await store().view.robotTokens.find('a')).toEqual(robotToken('a'))
    expect((await store().view.robotTokens.list({ limit: 10 })).map(({ id }) => id)).toEqual(['a', 'b'])
    expect((await store().view.robotTokens.list({ after: 'a', limit: 10 })).map(({ id }) => id)).toEqual(['b'])
    const revision = store().policyRevision
    expect(await store().transact((tx) => tx.robotTokens.delete('a'))).toBe(true)
    expect(await store().transact((tx) => tx.robotTokens.delete('a'))).toBe(false)
    expect(store().policyRevision).toBeGreaterThan(revision)
    expect(await store().transact((tx) => tx.robotTokens.deleteEnded(minute(11)))).toBe(1)
  })

  test('the keys that sign tokens are listed newest first', async () => {
    const key = (id: string, at: number) => ({ id, secret: new Uint8Array([at]), createdAt: minute(at) })
    await store().transact(async (tx) => {
      await tx.tokenKeys.insert(key('one', 1))
      await tx.tokenKeys.insert(key('two', 2))
    })
    expect(await store().view.tokenKeys.list()).toEqual([key('two', 2), key('one', 1)])
    await store().transact((tx) => tx.tokenKeys.delete(['one']))
    expect(await store().view.tokenKeys.list()).toEqual([key('two', 2)])
  })
}
