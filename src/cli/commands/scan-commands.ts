import type { Command } from 'commander'
import type { Flags } from '../invocation.ts'
import type { ScanCommand } from '../running-app.ts'
import { type CommandLine, URL_OPTION, WHERE } from './command-line.ts'

const SCAN_EXAMPLES = `  ecru scan team/app:1.4.2
  ecru scan team/app:1.4.2 --severity HIGH --exit-code 3
  ecru scan team/app:1.4.2 --format sarif > app.sarif`
const SBOM_EXAMPLES = `  ecru sbom team/app:1.4.2 > app.cdx.json
  ecru sbom team/app:1.4.2 --format spdx --platform linux/arm64
  ecru sbom team/app:1.4.2 --attach`
const ADMISSION_EXAMPLES = `  ecru admission set '*' --severity CRITICAL --dry-run
  ecru admission set 'prod/*' --severity HIGH --max-age 30d --exempt-principal 'arn:aws:iam::*:role/scanner'
  ecru admission show prod/app
  ecru admission list
  ecru admission remove '*'`
const SUPPRESSION_EXAMPLES = `  ecru suppressions add CVE-2026-1234 --repository team/app --reason 'The parser is not built in.' --until 2027-01-31
  ecru suppressions list
  ecru suppressions remove 6f1c2d30-3f3c-4c6e-9d75-1f2a3b4c5d6e`

/** `ecru scan …`, `ecru sbom …`, `ecru admission …` and `ecru suppressions …`. */
export function describeScans(line: CommandLine): void {
  describeFindings(line)
  describeSbom(line)
  describeAdmission(line)
  describeSuppressions(line)
}

function describeFindings({ command }: CommandLine): void {
  command(
    {
      name: 'scan <image>',
      summary: 'Print what scans have found in an image; fails when they could not tell.',
      examples: SCAN_EXAMPLES,
      variables: WHERE,
    },
    async (invocation, [image = '']) => {
      const { printFindings } = await import('../findings.ts')
      return await printFindings(image, invocation)
    },
  )
    .option('--format <format>', 'table, json or sarif (2.1.0).', 'table')
    .option('--severity <severity>', 'Only findings of this severity or worse.')
    .option('--exit-code <code>', 'How to end when there are any that count.', '0')
    .option(...URL_OPTION)
}

function describeSbom({ command }: CommandLine): void {
  command(
    {
      name: 'sbom <image>',
      summary: 'Print what is in an image as a software bill of materials.',
      examples: SBOM_EXAMPLES,
      variables: WHERE,
    },
    async (invocation, [image = '']) => {
      const { printSbom } = await import('../sbom.ts')
      return await printSbom(image, invocation)
    },
  )
    .option('--format <format>', 'cyclonedx (1.6), cyclonedx-1.5 or spdx (2.3).', 'cyclonedx')
    .option('--platform <platform>', 'Which image of an index, such as linux/amd64.')
    .option('--attach', 'Attach it to the image, where clients find it as a referrer, instead of printing it.')
    .option('--json', 'Print what was attached as JSON.')
    .option(...URL_OPTION)
}

/** Describes the commands of one group, which all name a registry and print JSON when asked. */
function rulesIn({ command }: CommandLine, group: Command, examples: string) {
  return (
    name: ScanCommand,
    words: string,
    summary: string,
    parametersOf: (flags: Flags, operand: string | undefined) => Promise<Readonly<Record<string, string | undefined>>>,
  ) =>
    command(
      { name: words, summary, examples, variables: WHERE },
      async (invocation, [operand]) => {
        const { manageRules } = await import('../admission.ts')
        return await manageRules(name, await parametersOf(invocation.flags, operand), invocation)
      },
      group,
    )
      .option('--account <id>', 'Of another account than the default one.')
      .option('--region <region>', 'Of another region than the default one.')
      .option('--json', 'Print the answer as JSON.')
      .option(...URL_OPTION)
}

function describeAdmission(line: CommandLine): void {
  const group = line.group('admission', 'Say which images may be pulled, by what scans have found.', ADMISSION_EXAMPLES)
  const add = rulesIn(line, group, ADMISSION_EXAMPLES)
  add(
    'admission/set',
    'set <repositories>',
    'Make or replace the rule for a repository, or for a pattern such as team/*.',
    async (flags, repositories) => {
      const { admissionParameters } = await import('../admission.ts')
      return { repositories, ...admissionParameters(flags) }
    },
  )
    .option('--severity <severity>', 'Refuse images with findings of this severity or worse.')
    .option('--ignore-unfixed', 'Findings without a fix do not count.')
    .option('--max-age <duration>', 'Refuse images whose scan is older, such as 30d.')
    .option('--dry-run', 'Log what would be refused, and let it through.')
    .option('--exempt-principal <arn...>', 'ARNs whom the rule does not concern, with * for any run of characters.')
    .option('--exempt-image <digest...>', 'Images that it lets through, as sha256:… or sha256:…=2027-01-31.')
  add('admission/show', 'show <repository>', 'Show the rule that holds in a repository.', async (_, repository) => ({
    repository,
  }))
  add('admission/list', 'list', 'List the rules of a registry.', async () => ({}))
  add('admission/remove', 'remove <repositories>', 'Remove a rule.', async (_, repositories) => ({ repositories }))
}

function describeSuppressions(line: CommandLine): void {
  const group = line.group('suppressions', 'Set findings aside, with a reason and for a time.', SUPPRESSION_EXAMPLES)
  const add = rulesIn(line, group, SUPPRESSION_EXAMPLES)
  const text = (flag: unknown) => (typeof flag === 'string' ? flag : undefined)
  add(
    'suppressions/add',
    'add <vulnerability>',
    'Set the findings of a flaw aside, by any of its ids.',
    async ({ repository, package: packageName, reason, until }, vulnerability) => ({
      vulnerability,
      repository: text(repository),
      package: text(packageName),
      reason: text(reason),
      until: text(until),
    }),
  )
    .requiredOption('--reason <sentence>', 'Why; it stands beside the findings.')
    .option('--repository <name>', 'Only in this repository.')
    .option('--package <name>', 'Only in packages of this name.')
    .option('--until <date>', 'From then on they count again, such as 2027-01-31.')
  add('suppressions/list', 'list', 'List them, also those that are over.', async () => ({}))
  add('suppressions/remove', 'remove <id>', 'Remove one: its findings count again.', async (_, id) => ({ id }))
}
