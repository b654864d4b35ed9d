import type { Selectable } from 'kysely'
import type { CreationOccasion, CreationTemplate } from '../../domain/creation-template.ts'
import type { Registry } from '../../domain/names.ts'
import type { EncryptionWish, MutabilityMode, ResourceTag } from '../../domain/repository.ts'
import { templateExists } from '../../domain/template-errors.ts'
import type { CreationTemplateWriter } from '../creation-templates.ts'
import { paddedLists } from './parameter-lists.ts'
import { registryOfRow } from './registry-row.ts'
import type { CreationTemplatesTable } from './schema/creation-templates.ts'
import type { Session } from './session.ts'

type TemplateRow = Selectable<CreationTemplatesTable>

/** Repository creation templates. */
export class CreationTemplates implements CreationTemplateWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async findMany({ registryId, region }: Registry, prefixes: readonly string[]): Promise<readonly CreationTemplate[]> {
    const found: TemplateRow[] = []
    for (const list of paddedLists(prefixes)) {
      const rows = await this.#session.db
        .selectFrom('creation_templates')
        .selectAll()
        .where('account_id', '=', registryId)
        .where('region', '=', region)
        .where('prefix', 'in', list)
        .orderBy('prefix')
        .execute()
      found.push(...rows)
    }
    return found.map(toTemplate)
  }

  async list(
    { registryId, region }: Registry,
    { after = '', limit }: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<readonly CreationTemplate[]> {
    const rows = await this.#session.db
      .selectFrom('creation_templates')
      .selectAll()
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('prefix', '>', after)
      .orderBy('prefix')
      .limit(limit)
      .execute()
    return rows.map(toTemplate)
  }

  async insert(template: CreationTemplate): Promise<void> {
    const inserted = await this.#session.db
      .insertInto('creation_templates')
      .values(toRow(template))
      .onConflict((conflict) => conflict.columns(['account_id', 'region', 'prefix']).doNothing())
      .returning('prefix')
      .executeTakeFirst()
    if (inserted === undefined) throw templateExists(template)
  }

  async update(template: CreationTemplate): Promise<void> {
    const { account_id, region, prefix, ...values } = toRow(template)
    await this.#session.db
      .updateTable('creation_templates')
      .set(values)
      .where('account_id', '=', account_id)
      .where('region', '=', region)
      .where('prefix', '=', prefix)
      .execute()
  }

  async delete({ registryId, region }: Registry, prefix: string): Promise<void> {
    await this.#session.db
      .deleteFrom('creation_templates')
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('prefix', '=', prefix)
      .execute()
  }
}

function toRow(template: CreationTemplate): TemplateRow {
  const { registry, mutability } = template
  return {
    account_id: registry.registryId,
    region: registry.region,
    prefix: template.prefix,
    applied_for: JSON.stringify(template.appliedFor),
    description: template.description ?? null,
    mutability: mutability.mode,
    exclusion_filters: JSON.stringify(mutability.exclusionFilters),
    encryption_type: template.encryption.type,
    kms_key: template.encryption.kmsKey ?? null,
    repository_policy: template.repositoryPolicy ?? null,
    lifecycle_policy: template.lifecyclePolicy ?? null,
    resource_tags: JSON.stringify(template.resourceTags),
    custom_role_arn: template.customRoleArn ?? null,
    created_at: template.createdAt.getTime(),
    updated_at: template.updatedAt.getTime(),
  }
}

function toTemplate(row: TemplateRow): CreationTemplate {
  return {
    registry: registryOfRow(row),
    prefix: row.prefix,
    appliedFor: JSON.parse(row.applied_for) as CreationOccasion[],
    description: row.description ?? undefined,
    mutability: {
      mode: row.mutability as MutabilityMode,
      exclusionFilters: JSON.parse(row.exclusion_filters) as string[],
    },
    encryption: { type: row.encryption_type as EncryptionWish['type'], kmsKey: row.kms_key ?? undefined },
    repositoryPolicy: row.repository_policy ?? undefined,
    lifecyclePolicy: row.lifecycle_policy ?? undefined,
    resourceTags: JSON.parse(row.resource_tags) as ResourceTag[],
    customRoleArn: row.custom_role_arn ?? undefined,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  }
}
