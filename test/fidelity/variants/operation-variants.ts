import { type Variant, variantsOf } from './input-variants.ts'
import { pagingVariants } from './paging-variants.ts'
import { type Sample, sampleAt } from './sample.ts'
import { subjectVariants } from './subject-variants.ts'
import type { VariedService } from './varied-service.ts'

/** All variants of an operation's sample. */
export function operationVariants(service: VariedService, operation: string, sample: Sample): readonly Variant[] {
  return [
    ...variantsOf(service.model, operation, (path) => sampleAt(sample, path)),
    ...pagingVariants(service.model, operation, sample),
    ...subjectVariants(service, operation, sample),
  ]
}
