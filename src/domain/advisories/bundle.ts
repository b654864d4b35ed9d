/** The artifact type of an image whose layers are advisories. */
export const BUNDLE_ARTIFACT_TYPE = 'application/vnd.ecru.advisories.v1'
