import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServiceModel } from '../src/protocols/aws/model.ts'
import type { OperationTable } from '../src/protocols/aws/operation-table.ts'
import { cloudTrailService } from '../src/protocols/cloudtrail/operations.ts'
import type { CloudWatchServices } from '../src/protocols/cloudwatch/operation.ts'
import { cloudWatchService } from '../src/protocols/cloudwatch/operations.ts'
import type { EcrServices } from '../src/protocols/ecr/operation.ts'
import { ecrService } from '../src/protocols/ecr/operations.ts'
import type { OwnPublicServices } from '../src/protocols/ecr-public/operation.ts'
import { ecrPublicService } from '../src/protocols/ecr-public/operations.ts'
import type { EventsServices } from '../src/protocols/events/operation.ts'
import { eventsService } from '../src/protocols/events/operations.ts'
import { iamService } from '../src/protocols/iam/operations.ts'
import type { InspectorServices } from '../src/protocols/inspector2/operation.ts'
import { inspectorService } from '../src/protocols/inspector2/operations.ts'
import type { KmsServices } from '../src/protocols/kms/operation.ts'
import { kmsService } from '../src/protocols/kms/operations.ts'
import type { SecretsServices } from '../src/protocols/secretsmanager/operation.ts'
import { secretsService } from '../src/protocols/secretsmanager/operations.ts'
import type { StsServices } from '../src/protocols/sts/operation.ts'
import { stsService } from '../src/protocols/sts/operations.ts'
import type { IamServices } from '../src/services/iam/iam-services.ts'
import { ECR, ECR_PUBLIC } from '../test/fidelity/variants/varied-service.ts'
import { memberCoverage } from './member-coverage.ts'
import { writeVariables } from './variables.ts'

const ROOT = join(import.meta.dir, '..')

/** Where the page is kept. */
export const COVERAGE_PAGE = join(ROOT, 'docs', 'coverage.md')

/** The page that says, for every operation of every service, whether it is handled or refused by name. */
export function coveragePage(): string {
  // Tables are built without calling anything, so no service is needed behind them.
  const ecr = ecrService({} as EcrServices)
  const ecrPublic = ecrPublicService({} as EcrServices & OwnPublicServices)
  const services = [
    section(ECR.title, 'src/protocols/ecr', ecr),
    section(ECR_PUBLIC.title, 'src/protocols/ecr-public', ecrPublic),
    section('AWS IAM', 'src/protocols/iam', iamService({} as IamServices)),
    section('AWS KMS', 'src/protocols/kms', kmsService({} as KmsServices)),
    section('AWS Secrets Manager', 'src/protocols/secretsmanager', secretsService({} as SecretsServices)),
    section('AWS STS', 'src/protocols/sts', stsService({} as StsServices)),
    section('Amazon Inspector', 'src/protocols/inspector2', inspectorService({} as InspectorServices)),
    section('Amazon EventBridge', 'src/protocols/events', eventsService({} as EventsServices)),
    section('Amazon CloudWatch', 'src/protocols/cloudwatch', cloudWatchService({} as CloudWatchServices)),
    section('AWS CloudTrail', 'src/protocols/cloudtrail', cloudTrailService({ auditHistory: undefined })),
  ]
  return `${[
    '# Coverage',
    'Which operations of the AWS services Ecru performs. An operation that it does not perform is refused with `UnsupportedOperationException`, which names it; nothing is accepted and then ignored. A service is loaded with its first call, compares its table with its model in `models/` and does not answer if one is missing; a test does the same for all of them.',
    'Made from the code by `npm run docs`; a test holds it to that.',
    ...services,
    memberCoverage(ECR, ecr.operations),
    memberCoverage(ECR_PUBLIC, ecrPublic.operations),
  ].join('\n\n')}\n`
}

interface Service {
  readonly model: ServiceModel
  readonly operations: OperationTable
}

function section(title: string, folder: string, { model, operations }: Service): string {
  const names = Object.keys(model.operations).sort()
  const handled = names.filter((name) => operations.get(name) !== 'unsupported')
  const rows = names.map((name) =>
    operations.get(name) === 'unsupported'
      ? `| ${name} | refused by name |`
      : `| [${name}](../${fileOf(folder, name)}) | handled |`,
  )
  return [
    `## ${title}: ${handled.length} of ${names.length} handled`,
    ['| operation | |', '|---|---|', ...rows].join('\n'),
  ].join('\n\n')
}

function fileOf(folder: string, operation: string): string {
  const own = `${folder}/${operation.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()}.ts`
  return existsSync(join(ROOT, own)) ? own : (familyFile(folder, operation) ?? own)
}

/** Small operations that belong together share a file, which says the type of each. */
function familyFile(folder: string, operation: string): string | undefined {
  return readdirSync(join(ROOT, folder))
    .map((name) => `${folder}/${name}`)
    .find((file) => readFileSync(join(ROOT, file), 'utf8').includes(`Operation<'${operation}'>`))
}

if (import.meta.main) {
  await writeFile(COVERAGE_PAGE, coveragePage())
  await writeVariables()
}
