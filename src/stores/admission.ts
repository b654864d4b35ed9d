import type { AdmissionRule } from '../domain/admission/rule.ts'
import type { Registry } from '../domain/names.ts'

/** Which images of a registry may be pulled. A change counts as one of policies. */
export interface AdmissionReader {
  /** In ascending order of what they are for. */
  list(registry: Registry): Promise<readonly AdmissionRule[]>
}

export interface AdmissionWriter extends AdmissionReader {
  /** Replaces the rule for the same repositories. */
  put(registry: Registry, rule: AdmissionRule): Promise<void>
  /** False: there is none. */
  delete(registry: Registry, repositories: string): Promise<boolean>
}
