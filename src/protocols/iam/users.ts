import type { Principal } from '../../domain/principal.ts'
import { givenTags, listedUser, userOutput } from './entity-output.ts'
import type { IamOperation, IamOutput } from './operation.ts'
import { pageFacts, pagingOf } from './pages.ts'

export const createUser: IamOperation<'CreateUser'> = async (input, call) => {
  const user = await call.users.create(call.principal, {
    name: input.UserName,
    path: input.Path ?? '/',
    tags: givenTags(input.Tags),
    boundaryArn: input.PermissionsBoundary,
  })
  return { User: userOutput(user, call) }
}

/** Without a name, whoever asks. */
export const getUser: IamOperation<'GetUser'> = async ({ UserName }, call) => {
  const { principal, users } = call
  if (UserName !== undefined) return { User: userOutput(await users.get(principal, UserName), call) }
  if (principal.kind === 'root') return rootOutput(principal)
  return { User: userOutput(await users.getSelf(principal), call) }
}

/** A root has neither a name nor a path; that it ever began is not recorded. */
function rootOutput({ accountId, arn }: Principal): IamOutput<'GetUser'> {
  return { User: { UserId: accountId, Arn: arn, CreateDate: new Date(0), Path: undefined, UserName: undefined } }
}

export const listUsers: IamOperation<'ListUsers'> = async (input, call) => {
  const page = await call.users.list(call.principal, input.PathPrefix, pagingOf(input))
  return { Users: page.items.map((user) => listedUser(user, call)), ...pageFacts(page) }
}

export const updateUser: IamOperation<'UpdateUser'> = async (input, { principal, users }) => {
  await users.update(principal, input.UserName, { newName: input.NewUserName, newPath: input.NewPath })
  return {}
}

export const deleteUser: IamOperation<'DeleteUser'> = async ({ UserName }, { principal, users }) => {
  await users.delete(principal, UserName)
  return {}
}
