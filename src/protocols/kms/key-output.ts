import type { KeyMetadata } from '@aws-sdk/client-kms'
import { keyArn } from '../../domain/kms/key.ts'
import { ALGORITHM } from '../../services/kms/key-cryptography.ts'
import type { DescribedKey } from '../../services/kms/keys.ts'

/** KMS's KeyMetadata. */
export function keyOutput({ key, materialId }: DescribedKey): KeyMetadata {
  return {
    AWSAccountId: key.home.registryId,
    KeyId: key.keyId,
    Arn: keyArn(key),
    CreationDate: key.createdAt,
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: key.state,
    DeletionDate: key.deletion?.at,
    Origin: 'AWS_KMS',
    KeyManager: key.manager,
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    KeySpec: 'SYMMETRIC_DEFAULT',
    EncryptionAlgorithms: [ALGORITHM],
    MultiRegion: false,
    CurrentKeyMaterialId: materialId,
  }
}
