import type { CreationTemplate } from '../domain/creation-template.ts'
import type { Registry } from '../domain/names.ts'

export interface CreationTemplateReader {
  /** Those that are there, in ascending order of prefix. */
  findMany(registry: Registry, prefixes: readonly string[]): Promise<readonly CreationTemplate[]>
  /** In ascending order of prefix: everything after `after`, at most `limit`. */
  list(
    registry: Registry,
    page: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<readonly CreationTemplate[]>
}

export interface CreationTemplateWriter extends CreationTemplateReader {
  /** Throws `template-exists`. */
  insert(template: CreationTemplate): Promise<void>
  /** Replaces the template of the same registry and prefix. */
  update(template: CreationTemplate): Promise<void>
  delete(registry: Registry, prefix: string): Promise<void>
}
