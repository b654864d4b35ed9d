import { type CommandLine, URL_OPTION, WHERE } from './command-line.ts'

const GC_EXAMPLES = `  ecru gc --dry-run
  ecru gc --data-dir /var/lib/ecru --json
  AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… ecru gc --url https://registry.example.com`
const SCRUB_EXAMPLES = `  ecru scrub --dry-run
  ecru scrub --data-dir /var/lib/ecru || echo "some blobs were bad"`
const COST_EXAMPLES = `  ecru cost
  ECRU_PRICE_PER_GB_MONTH=0.04 ecru cost --data-dir /var/lib/ecru --json`
const PREVIEW_EXAMPLES = `  ecru lifecycle preview team/app
  ecru lifecycle preview team/app --account 123456789012 --region eu-west-3 --json`
const RUN_EXAMPLES = `  ecru lifecycle run team/app
  ecru lifecycle run --all --url https://registry.example.com`

/** `ecru gc`, `ecru scrub`, `ecru cost`, `ecru lifecycle …`: the work beside requests, now. */
export function describeJobs({ command, group }: CommandLine): void {
  const gc = command(
    { name: 'gc', summary: 'Delete what no image needs any more.', examples: GC_EXAMPLES, variables: WHERE },
    async (invocation) => {
      const { runUpkeep } = await import('../upkeep.ts')
      return await runUpkeep('gc', invocation)
    },
  )
  const scrubSummary = 'Read every blob again and compare it with its digest.'
  const scrub = command(
    { name: 'scrub', summary: scrubSummary, examples: SCRUB_EXAMPLES, variables: WHERE },
    async (invocation) => {
      const { runUpkeep } = await import('../upkeep.ts')
      return await runUpkeep('scrub', invocation)
    },
  )
  for (const job of [gc, scrub]) {
    job
      .option('--dry-run', 'Report only, change nothing.')
      .option('--json', 'Print the report as JSON.')
      .option(...URL_OPTION)
  }

  command(
    {
      name: 'cost',
      summary: 'Say what the storage of each repository costs, and what lifecycle policies would save.',
      examples: COST_EXAMPLES,
      variables: WHERE,
    },
    async (invocation) => {
      const { showCost } = await import('../cost.ts')
      return await showCost(invocation)
    },
  )
    .option('--json', 'Print the report as JSON.')
    .option(...URL_OPTION)

  const lifecycle = group(
    'lifecycle',
    'Say what lifecycle policies would do, or have them executed now.',
    `${PREVIEW_EXAMPLES}\n${RUN_EXAMPLES}`,
  )
  const preview = command(
    {
      name: 'preview <repository>',
      summary: 'Say which images the policy of a repository would expire or archive now.',
      examples: PREVIEW_EXAMPLES,
      variables: WHERE,
    },
    async (invocation, [repository = '']) => {
      const { previewLifecycle } = await import('../lifecycle.ts')
      return await previewLifecycle(repository, invocation)
    },
    lifecycle,
  )
  const run = command(
    {
      name: 'run [repository]',
      summary: 'Execute the policy of a repository, or of every one, now.',
      examples: RUN_EXAMPLES,
      variables: WHERE,
    },
    async (invocation, [repository]) => {
      const { runLifecycle } = await import('../lifecycle.ts')
      return await runLifecycle(repository, invocation)
    },
    lifecycle,
  ).option('--all', 'Every repository that has a policy, in every registry.')
  for (const described of [preview, run]) {
    described
      .option('--account <id>', "The account that owns the repository; otherwise the server's default account.")
      .option('--region <name>', "The region it is in; otherwise the server's default region.")
      .option('--json', 'Print the report as JSON.')
      .option(...URL_OPTION)
  }
}
