import { Command, CommanderError, Option } from 'commander'
import type { Texts } from '../config/config.ts'
import { type VariableName, variable, variableNames } from '../config/env.ts'
import { VERSION } from '../config/version.ts'
import type { AppFactory } from './running-app.ts'
import { CommandFailure, EXIT, type Terminal } from './terminal.ts'

/** Runs one command line, and answers the exit code: 0 done, 1 failed, 2 not understood or misconfigured. */
export async function runCli(args: readonly string[], terminal: Terminal, createApp: AppFactory): Promise<number> {
  let exitCode: number = EXIT.ok
  const program = describeProgram(terminal, createApp, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (failure) {
    if (failure instanceof CommanderError) return failure.exitCode === 0 ? EXIT.ok : EXIT.misused
    return explain(failure, terminal)
  }
}

function explain(failure: unknown, terminal: Terminal): number {
  if (
    failure instanceof CommandFailure ||
    isNamed(failure, 'ListenError') ||
    isNamed(failure, 'MasterKeyUnavailable')
  ) {
    terminal.err(`${failure.message}\n`)
    return EXIT.failed
  }
  if (isNamed(failure, 'ConfigError')) {
    terminal.err(`${failure.message}\nSee \`ecru serve --help\`.\n`)
    return EXIT.misused
  }
  terminal.err(`Ecru failed: ${failure instanceof Error ? (failure.stack ?? failure.message) : String(failure)}\n`)
  return EXIT.failed
}

/** By name, so that telling failures apart loads no module that the command did not need. */
function isNamed(failure: unknown, name: string): failure is Error {
  return failure instanceof Error && failure.name === name
}

type Run = (options: Texts, flags: Readonly<Record<string, unknown>>, operands: readonly string[]) => Promise<number>

function describeProgram(terminal: Terminal, createApp: AppFactory, end: (code: number) => void): Command {
  const program = new Command('ecru')
    .description("A container registry that answers to Amazon ECR's own interface.")
    .version(`ecru ${VERSION}`)
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .showHelpAfterError('(`ecru --help` lists the commands.)')
    .helpCommand(false)

  const command = (
    name: string,
    summary: string,
    examples: string,
    variables: readonly VariableName[],
    run: Run,
    parent = program,
  ) => {
    const described = parent.command(name).description(summary).addHelpText('after', `\nExamples:\n${examples}`)
    const options = variables.map((variableName) => [variableName, optionFor(variableName)] as const)
    for (const [, option] of options) described.addOption(option)
    return described.action(async () => {
      const flags: Readonly<Record<string, unknown>> = described.opts()
      const texts = options.map(([variableName, option]) => [variableName, textOf(flags[option.attributeName()])])
      end(await run(Object.fromEntries(texts) as Texts, flags, described.args))
    })
  }

  command('serve', 'Run the registry.', SERVE_EXAMPLES, variableNames.filter(hasFlag), async (options) => {
    const { serve } = await import('./serve.ts')
    return await serve(options, terminal, createApp)
  }).addHelpText(
    'after',
    '\nEvery option has a variable, such as ECRU_PORT for --port; docs/operations.md lists them all.',
  )

  const gc = command('gc', 'Delete what no image needs any more.', GC_EXAMPLES, WHERE, async (options, flags) => {
    const { collectGarbage } = await import('./gc.ts')
    return await collectGarbage(options, flags, terminal, createApp)
  })
  const scrub = command(
    'scrub',
    'Read every blob again and compare it with its digest.',
    SCRUB_EXAMPLES,
    WHERE,
    async (options, flags) => {
      const { scrub } = await import('./scrub.ts')
      return await scrub(options, flags, terminal, createApp)
    },
  )
  for (const job of [gc, scrub]) {
    job
      .option('--dry-run', 'Report only, change nothing.')
      .option('--json', 'Print the report as JSON.')
      .option(...URL_OPTION)
  }

  const lifecycle = program
    .command('lifecycle')
    .helpCommand(false)
    .description('Say what lifecycle policies would do, or have them executed now.')
    .addHelpText('after', `\nExamples:\n${LIFECYCLE_PREVIEW_EXAMPLES}\n${LIFECYCLE_RUN_EXAMPLES}`)
  const preview = command(
    'preview <repository>',
    'Say which images the policy of a repository would expire or archive now.',
    LIFECYCLE_PREVIEW_EXAMPLES,
    WHERE,
    async (options, flags, [repository = '']) => {
      const { previewLifecycle } = await import('./lifecycle.ts')
      return await previewLifecycle(options, flags, repository, terminal, createApp)
    },
    lifecycle,
  )
  const run = command(
    'run [repository]',
    'Execute the policy of a repository, or of every one, now.',
    LIFECYCLE_RUN_EXAMPLES,
    WHERE,
    async (options, flags, [repository]) => {
      const { runLifecycle } = await import('./lifecycle.ts')
      return await runLifecycle(options, flags, repository, terminal, createApp)
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

  command(
    'clock',
    'Say what time it is for a running server of the dev profile, or move its clock ahead.',
    CLOCK_EXAMPLES,
    WHERE,
    async (options, flags) => {
      const { clock } = await import('./dev-tools.ts')
      return await clock(options, flags, terminal)
    },
  )
    .option('--advance <duration>', 'Move it ahead, such as 12h or 30d, and do what has become due.')
    .option('--json', 'Print the answer as JSON.')
    .option(...URL_OPTION)

  command(
    'reset',
    'Empty a running server of the dev profile, or a part of it.',
    RESET_EXAMPLES,
    WHERE,
    async (options, flags) => {
      const { reset } = await import('./dev-tools.ts')
      return await reset(options, flags, terminal)
    },
  )
    .option('--account <id>', 'Only what this account owns.')
    .option('--region <name>', 'Only what is in this region.')
    .option(
      '--repository <name>',
      "Only this repository; without --account and --region, the one of the server's defaults.",
    )
    .option('--yes', 'Do it: there is no way back.')
    .option('--json', 'Print the report as JSON.')
    .option(...URL_OPTION)

  const signing = program
    .command('signing')
    .helpCommand(false)
    .description('Say how the signatures of images are verified.')
    .addHelpText('after', `\nExamples:\n${SIGNING_CERTIFICATE_EXAMPLES}`)
  command(
    'certificate <profile-arn>',
    'Print the certificate of a signing profile as PEM, for the trust store of those who verify.',
    SIGNING_CERTIFICATE_EXAMPLES,
    WHERE,
    async (options, flags, [profileArn = '']) => {
      const { printSigningCertificate } = await import('./signing.ts')
      return await printSigningCertificate(options, flags, profileArn, terminal, createApp)
    },
    signing,
  )
    .option('--json', 'Print subject, fingerprint and end of validity as well, as JSON.')
    .option(...URL_OPTION)

  const masterKey = program
    .command('master-key')
    .helpCommand(false)
    .description('Make or change the key that seals all other secrets.')
    .addHelpText('after', `\nExamples:\n${MASTER_KEY_GENERATE_EXAMPLES}\n${MASTER_KEY_ROTATE_EXAMPLES}`)
  command(
    'generate',
    'Print a fresh master key.',
    MASTER_KEY_GENERATE_EXAMPLES,
    [],
    async () => {
      const { generateMasterKey } = await import('./master-key.ts')
      return generateMasterKey(terminal)
    },
    masterKey,
  )
  command(
    'rotate',
    'Make a new master key in its file, and seal every secret with it; no server may run.',
    MASTER_KEY_ROTATE_EXAMPLES,
    [...WHERE, 'ECRU_MASTER_KEY_FILE'],
    async (options) => {
      const { rotateMasterKey } = await import('./master-key.ts')
      return await rotateMasterKey(options, terminal, createApp)
    },
    masterKey,
  )

  command('info', 'Say what a registry is and holds.', INFO_EXAMPLES, WHERE, async (options, flags) => {
    const { info } = await import('./info.ts')
    return await info(options, flags, terminal, createApp)
  })
    .option('--json', 'Print the facts as JSON.')
    .option(...URL_OPTION)

  command(
    'env',
    'Print the settings that point AWS tools at the registry.',
    ENV_EXAMPLES,
    [...WHERE, 'ECRU_PORT'],
    async (options, flags) => {
      const { printEnvironment } = await import('./env.ts')
      return printEnvironment(options, flags, terminal)
    },
  )
    .addOption(
      new Option('--shell <name>', 'The shell whose syntax is printed.')
        .choices(['bash', 'fish', 'powershell'])
        .default('bash'),
    )
    .option(...URL_OPTION)

  command('version', 'Print the version.', VERSION_EXAMPLES, [], async () => {
    const { printVersion } = await import('./version.ts')
    return printVersion(terminal)
  })
  return program
}

/** The variables that say where the registry is. */
const WHERE: readonly VariableName[] = ['ECRU_DATA_DIR']
const URL_OPTION = ['--url <url>', 'The server to ask; otherwise the one that holds the data directory.'] as const

const SERVE_EXAMPLES = `  ecru serve
  ecru serve --memory --port 5000
  ecru serve --profile server --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem --data-dir /var/lib/ecru`
const GC_EXAMPLES = `  ecru gc --dry-run
  ecru gc --data-dir /var/lib/ecru --json
  AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… ecru gc --url https://registry.example.com`
const SCRUB_EXAMPLES = `  ecru scrub --dry-run
  ecru scrub --data-dir /var/lib/ecru || echo "some blobs were bad"`
const LIFECYCLE_PREVIEW_EXAMPLES = `  ecru lifecycle preview team/app
  ecru lifecycle preview team/app --account 123456789012 --region eu-west-3 --json`
const LIFECYCLE_RUN_EXAMPLES = `  ecru lifecycle run team/app
  ecru lifecycle run --all --url https://registry.example.com`
const CLOCK_EXAMPLES = `  ecru clock
  ecru clock --advance 30d
  ecru clock --advance 12h --url http://localhost:4566 --json`
const RESET_EXAMPLES = `  ecru reset --yes
  ecru reset --account 123456789012 --region eu-west-3 --yes
  ecru reset --repository team/app --yes`
const SIGNING_CERTIFICATE_EXAMPLES = `  ecru signing certificate arn:aws:signer:us-east-1:000000000000:/signing-profiles/release > release.pem
  ecru signing certificate arn:aws:signer:us-east-1:000000000000:/signing-profiles/release --json`
const MASTER_KEY_GENERATE_EXAMPLES = '  ecru master-key generate > /etc/ecru/master.key'
const MASTER_KEY_ROTATE_EXAMPLES = `  ecru master-key rotate --data-dir /var/lib/ecru
  ecru master-key rotate --master-key-file /etc/ecru/master.key`
const INFO_EXAMPLES = `  ecru info
  ecru info --url http://localhost:4566 --json`
const ENV_EXAMPLES = `  eval "$(ecru env)" && aws ecr create-repository --repository-name app
  ecru env --shell fish | source
  ecru env --shell powershell | Out-String | Invoke-Expression`
const VERSION_EXAMPLES = '  ecru version'

function hasFlag(name: VariableName): boolean {
  return variable(name).flag !== undefined
}

function optionFor(name: VariableName): Option {
  const { flag, doc, default: fallback } = variable(name)
  const isSwitch = fallback === 'false'
  const shownDefault = fallback === undefined || isSwitch ? '' : ` (default: ${fallback})`
  return new Option(flag ?? '', `${doc.replaceAll('`', '')}${shownDefault}`)
}

function textOf(given: unknown): string | undefined {
  return given === undefined ? undefined : String(given)
}
