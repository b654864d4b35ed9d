/** The two storage classes as a policy names them: images in use, and images put away. */
export type LifecycleStorageClass = 'standard' | 'archive'

/** Which images of its storage class a rule matches. The entries of a list must all be met, by whichever tags. */
export type TagSelection =
  | { readonly tagStatus: 'any' }
  | { readonly tagStatus: 'untagged' }
  | { readonly tagStatus: 'tagged'; readonly list: 'prefix' | 'pattern'; readonly entries: readonly string[] }

export type AgeCountType = 'sinceImagePushed' | 'sinceImagePulled' | 'sinceImageTransitioned'

/** Which of the matched images a rule acts on: all but the newest, or those of a certain age. */
export type LifecycleLimit =
  | { readonly countType: 'imageCountMoreThan'; readonly keptImages: number }
  | { readonly countType: AgeCountType; readonly ageDays: number }

/** What a rule does to an image: it is deleted, or put into the archive. */
export type LifecycleAction = 'expire' | 'transition'

/** One rule of a lifecycle policy, checked. */
export interface LifecycleRule {
  /** The lower the number, the earlier the rule comes. Unique within its policy. */
  readonly priority: number
  readonly description?: string | undefined
  readonly storageClass: LifecycleStorageClass
  readonly tags: TagSelection
  readonly limit: LifecycleLimit
  readonly action: LifecycleAction
}
