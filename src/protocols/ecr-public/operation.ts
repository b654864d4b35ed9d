import type { PublicRegistries } from '../../services/repositories/public-registries.ts'
import type { EcrCall } from '../ecr/operation.ts'
import type { PublicAddresses } from './public-addresses.ts'

/** What ECR Public's operations are made of, beside the services that they share with ECR's. */
export interface OwnPublicServices {
  readonly publicRegistries: PublicRegistries
  readonly publicAddresses: PublicAddresses
}

/** One call of an operation. Its region is the place of public registries, so that ECR's own handlers act there. */
export type PublicCall = EcrCall & OwnPublicServices

/** The handler of one operation: validated input → service → output. */
export type PublicOperation<Input, Output extends object> = (input: Input, call: PublicCall) => Promise<Output>

/** What names a repository in most inputs. */
export interface RepositoryInput {
  readonly registryId?: string | undefined
  readonly repositoryName: string
}

/** What asks for a page. */
export interface PageInput {
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}
