import iamModel from '../../../models/iam.json' with { type: 'json' }
import type { OperationModel, ServiceModel, Shape } from '../aws/model.ts'

/** Lists of credentials that no user here can have, by the member that has them. */
const LISTS = {
  ListMFADevices: 'MFADevices',
  ListSSHPublicKeys: 'SSHPublicKeys',
  ListServiceSpecificCredentials: 'ServiceSpecificCredentials',
  ListSigningCertificates: 'Certificates',
  ListVirtualMFADevices: 'VirtualMFADevices',
} as const
const LOGIN_PROFILE = ['DeleteLoginProfile', 'GetLoginProfile'] as const

const INPUT = 'OtherCredentialsRequest'
const NOTHING = 'OtherCredentialsNothing'
const NOTHING_LIST = 'OtherCredentialsNothingList'

/**
 * Operations about credentials other than access keys, which clients ask for on their way to delete a user (Terraform's
 * `force_destroy`). They stand apart from the model of IAM, which has what is there.
 */
export const otherCredentialsModel: ServiceModel = {
  metadata: iamModel.metadata,
  operations: Object.fromEntries<OperationModel>([
    ...Object.keys(LISTS).map((name): [string, OperationModel] => [
      name,
      { name, input: { shape: INPUT }, output: { shape: `${name}Response`, resultWrapper: `${name}Result` } },
    ]),
    ...LOGIN_PROFILE.map((name): [string, OperationModel] => [name, { name, input: { shape: INPUT } }]),
  ]),
  shapes: {
    ...iamModel.shapes,
    [INPUT]: {
      type: 'structure',
      members: {
        UserName: { shape: 'existingUserNameType' },
        Marker: { shape: 'markerType' },
        MaxItems: { shape: 'maxItemsType' },
      },
    },
    [NOTHING]: { type: 'structure', members: {} },
    [NOTHING_LIST]: { type: 'list', member: { shape: NOTHING } },
    ...Object.fromEntries(
      Object.entries(LISTS).map(([name, member]): [string, Shape] => [
        `${name}Response`,
        { type: 'structure', members: { [member]: { shape: NOTHING_LIST }, IsTruncated: { shape: 'booleanType' } } },
      ]),
    ),
  },
}
