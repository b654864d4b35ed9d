import type { IamOperation } from './operation.ts'

const NONE = { IsTruncated: false }

export const listSSHPublicKeys: IamOperation<'ListSSHPublicKeys'> = async ({ UserName }, call) => {
  await call.otherCredentials.check(call.principal, 'iam:ListSSHPublicKeys', UserName)
  return { SSHPublicKeys: [], ...NONE }
}

export const listSigningCertificates: IamOperation<'ListSigningCertificates'> = async ({ UserName }, call) => {
  await call.otherCredentials.check(call.principal, 'iam:ListSigningCertificates', UserName)
  return { Certificates: [], ...NONE }
}

export const listServiceSpecificCredentials: IamOperation<'ListServiceSpecificCredentials'> = async (input, call) => {
  await call.otherCredentials.check(call.principal, 'iam:ListServiceSpecificCredentials', input.UserName)
  return { ServiceSpecificCredentials: [] }
}

export const listMFADevices: IamOperation<'ListMFADevices'> = async ({ UserName }, call) => {
  await call.otherCredentials.check(call.principal, 'iam:ListMFADevices', UserName)
  return { MFADevices: [], ...NONE }
}

export const listVirtualMFADevices: IamOperation<'ListVirtualMFADevices'> = async (_input, call) => {
  await call.otherCredentials.checkAccount(call.principal, 'iam:ListVirtualMFADevices')
  return { VirtualMFADevices: [], ...NONE }
}

export const getLoginProfile: IamOperation<'GetLoginProfile'> = async ({ UserName }, call) =>
  call.otherCredentials.refuse(call.principal, 'iam:GetLoginProfile', UserName)

export const deleteLoginProfile: IamOperation<'DeleteLoginProfile'> = async ({ UserName }, call) =>
  call.otherCredentials.refuse(call.principal, 'iam:DeleteLoginProfile', UserName)
