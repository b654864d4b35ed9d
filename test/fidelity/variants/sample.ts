import type { ApiAnswer, ApiService } from '../in-process-registry.ts'

export type Members = Readonly<Record<string, unknown>>

/** A good input of an operation: what must be there, what may be there too, and the calls that make it good. */
export interface Sample {
  readonly input: Members
  readonly optional: Members
  /** The error that is the right answer to a good input. */
  readonly refusal?: string
  readonly before?: readonly (readonly [operation: string, input: Members])[]
}

export type Samples = Readonly<Record<string, Sample>>

/** What the samples speak of; made anew in every registry. */
export interface Seed {
  readonly uploadId: string
  /** What stands for the account where a registry may be named by an alias. */
  readonly alias: string
  /** Credentials for an upstream, where the service has caches. */
  readonly secretArn?: string
}

/** Calls an operation, of the service that is seeded unless another is named, which must succeed. */
export type SeedCall = (operation: string, input: Members, service?: ApiService) => Promise<ApiAnswer>

export const sample = (input: Members, optional: Members): Sample => ({ input, optional })

/** The value of a sample at a path such as `imageIds[].imageTag`; at the empty path, what must be there. */
export function sampleAt({ input, optional }: Sample, path: string): unknown {
  if (path === '') return input
  let value: unknown = { ...optional, ...input }
  for (const step of path.split(/\.|(?=\[\])/))
    value = step === '[]' ? (value as readonly unknown[])[0] : (value as Members)[step]
  if (value === undefined) throw new Error(`The sample has no ${path}`)
  return value
}
