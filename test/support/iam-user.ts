import { iamArn } from '../../src/domain/iam-entities/iam-arn.ts'
import type { RegistryId } from '../../src/domain/names.ts'
import { type Principal, userPrincipal } from '../../src/domain/principal.ts'
import type { MetadataStore } from '../../src/stores/metadata.ts'

export type StatementDocument = Readonly<Record<string, unknown>>

/** A user of an account, with an access key, who may do nothing yet. */
export interface TestUser {
  readonly principal: Principal
  /** Gives the user these statements and no others. */
  may(...statements: readonly StatementDocument[]): Promise<void>
}

export const policyText = (...statements: readonly StatementDocument[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements })

/** Makes a user with a key. */
export async function createUser(metadata: MetadataStore, accountId: RegistryId, name: string): Promise<TestUser> {
  const createdAt = new Date(0)
  const uniqueId = `AIDA${name.toUpperCase().padEnd(17, 'X')}`
  const accessKeyId = `AKIA${name.toUpperCase().padEnd(16, 'X')}`
  const named = { accountId, kind: 'user', name, path: '/' } as const
  const principalArn = iamArn('aws', named)
  const entity = await metadata.transact(async (tx) => {
    const user = await tx.iam.insert({ ...named, uniqueId, createdAt, tags: [], attributes: {} })
    if (user === undefined) throw new Error(`There is a user ${name}`)
    await tx.credentials.putAccessKey({
      accessKeyId,
      secretAccessKey: `secret of ${name}`,
      accountId,
      principalArn,
      createdAt,
      status: 'Active',
      user: { id: user.id, uniqueId, tags: [] },
    })
    return user
  })
  return {
    principal: userPrincipal(accountId, principalArn, uniqueId, accessKeyId),
    may: (...statements) =>
      metadata.transact(async (tx) => {
        if (statements.length === 0) await tx.iam.deleteInline(entity.id, 'test')
        else await tx.iam.putInline(entity.id, { name: 'test', text: policyText(...statements) })
      }),
  }
}
