import { givenTags, tagsOutput } from './entity-output.ts'
import type { IamOperation } from './operation.ts'

export const createOpenIDConnectProvider: IamOperation<'CreateOpenIDConnectProvider'> = async (input, call) => {
  const tags = givenTags(input.Tags)
  const arn = await call.oidcProviders.create(call.principal, {
    url: input.Url,
    clientIds: input.ClientIDList ?? [],
    thumbprints: input.ThumbprintList ?? [],
    tags,
  })
  return { OpenIDConnectProviderArn: arn, ...(tags.length === 0 ? {} : { Tags: tagsOutput(tags) }) }
}

/** The URL is shown without its scheme. */
export const getOpenIDConnectProvider: IamOperation<'GetOpenIDConnectProvider'> = async (input, call) => {
  const provider = await call.oidcProviders.get(call.principal, input.OpenIDConnectProviderArn)
  const { attributes, createdAt, name, tags } = provider
  return {
    Url: name,
    ClientIDList: [...attributes.clientIds],
    ThumbprintList: [...attributes.thumbprints],
    CreateDate: createdAt,
    ...(tags.length === 0 ? {} : { Tags: tagsOutput(tags) }),
  }
}

export const listOpenIDConnectProviders: IamOperation<'ListOpenIDConnectProviders'> = async (_input, call) => {
  const arns = await call.oidcProviders.list(call.principal)
  return { OpenIDConnectProviderList: arns.map((arn) => ({ Arn: arn })) }
}

export const deleteOpenIDConnectProvider: IamOperation<'DeleteOpenIDConnectProvider'> = async (input, call) => {
  await call.oidcProviders.delete(call.principal, input.OpenIDConnectProviderArn)
  return {}
}

export const addClientIDToOpenIDConnectProvider: IamOperation<'AddClientIDToOpenIDConnectProvider'> = async (
  { OpenIDConnectProviderArn, ClientID },
  call,
) => {
  await call.oidcProviders.addClientId(call.principal, OpenIDConnectProviderArn, ClientID)
  return {}
}

export const removeClientIDFromOpenIDConnectProvider: IamOperation<'RemoveClientIDFromOpenIDConnectProvider'> = async (
  { OpenIDConnectProviderArn, ClientID },
  call,
) => {
  await call.oidcProviders.removeClientId(call.principal, OpenIDConnectProviderArn, ClientID)
  return {}
}

export const updateOpenIDConnectProviderThumbprint: IamOperation<'UpdateOpenIDConnectProviderThumbprint'> = async (
  { OpenIDConnectProviderArn, ThumbprintList },
  call,
) => {
  await call.oidcProviders.setThumbprints(call.principal, OpenIDConnectProviderArn, ThumbprintList)
  return {}
}
