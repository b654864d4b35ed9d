import type {
  AttachedPermissionsBoundary,
  Group as SdkGroup,
  Role as SdkRole,
  User as SdkUser,
  Tag,
} from '@aws-sdk/client-iam'
import type { Group, Role, User } from '../../domain/iam-entities/entity.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { IamCall } from './operation.ts'

export function tagsOutput(tags: readonly ResourceTag[]): Tag[] {
  return tags.map(({ key, value }) => ({ Key: key, Value: value }))
}

/** The tags of an input. */
export function givenTags(tags: readonly { readonly Key: string; readonly Value: string }[] = []): ResourceTag[] {
  return tags.map(({ Key, Value }) => ({ key: Key, value: Value }))
}

function boundary(arn: string | undefined): { PermissionsBoundary?: AttachedPermissionsBoundary } {
  if (arn === undefined) return {}
  return { PermissionsBoundary: { PermissionsBoundaryType: 'PermissionsBoundaryPolicy', PermissionsBoundaryArn: arn } }
}

/** Tags are shown only where there are some. */
function tagsIfAny(tags: readonly ResourceTag[]): { Tags?: Tag[] } {
  return tags.length === 0 ? {} : { Tags: tagsOutput(tags) }
}

/** A user as lists show it. */
export function listedUser(user: User, { entities }: IamCall): SdkUser {
  return {
    Path: user.path,
    UserName: user.name,
    UserId: user.uniqueId,
    Arn: entities.arnOf(user),
    CreateDate: user.createdAt,
  }
}

/** A user as it is shown alone. */
export function userOutput(user: User, call: IamCall): SdkUser {
  return { ...listedUser(user, call), ...boundary(user.boundaryArn), ...tagsIfAny(user.tags) }
}

export function groupOutput(group: Group, { entities }: IamCall): SdkGroup {
  return {
    Path: group.path,
    GroupName: group.name,
    GroupId: group.uniqueId,
    Arn: entities.arnOf(group),
    CreateDate: group.createdAt,
  }
}

/** A role as lists show it. */
export function listedRole(role: Role, { entities }: IamCall): SdkRole {
  const { trustPolicy, description, maxSessionSeconds } = role.attributes
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.uniqueId,
    Arn: entities.arnOf(role),
    CreateDate: role.createdAt,
    AssumeRolePolicyDocument: documentOutput(trustPolicy),
    Description: description,
    MaxSessionDuration: maxSessionSeconds,
  }
}

/** A role as it is shown alone. */
export function roleOutput(role: Role, call: IamCall): SdkRole {
  const { lastUsed } = role
  return {
    ...listedRole(role, call),
    ...boundary(role.boundaryArn),
    ...tagsIfAny(role.tags),
    RoleLastUsed: lastUsed === undefined ? {} : { LastUsedDate: lastUsed.at, Region: lastUsed.region },
  }
}

/** A policy's text as IAM shows it: percent-encoded (RFC 3986). */
export function documentOutput(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}
