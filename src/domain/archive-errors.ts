import { inRepository, type Place, printImageId } from './errors.ts'
import { RegistryError } from './registry-error.ts'

/** The image is there, but in the archive or on its way back, so it cannot be used. */
export function imageArchived(
  id: { readonly digest?: string | undefined; readonly tag?: string | undefined },
  status: string,
  place: Place,
): RegistryError {
  return new RegistryError(
    'image-archived',
    `The image with imageId ${printImageId(id)} in ${inRepository(place)} ${status === 'ACTIVATING' ? 'is being restored from the archive' : 'is archived'}`,
  )
}

/** The image's storage class cannot be changed as asked: because of its status, or of the `parents` that list it. */
export function storageClassRefused(digest: string, status: string, parents: readonly string[] = []): RegistryError {
  const why =
    parents.length > 0
      ? `Requested image referenced by manifest list: [${parents.join(', ')}]`
      : `its status is ${status}`
  return new RegistryError(
    'storage-class-refused',
    `The storage class of the image with digest '${digest}' cannot be updated: ${why}`,
  )
}

/** Every image that needs it is archived. */
export function layerArchived(digest: string, place: Place): RegistryError {
  return new RegistryError(
    'layer-inaccessible',
    `The layer with digest '${digest}' in ${inRepository(place)} is archived with the images that need it`,
  )
}
