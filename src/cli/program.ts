import { Command, CommanderError } from 'commander'
import { VERSION } from '../config/version.ts'
import { describeAdmin } from './commands/admin-commands.ts'
import { describeAdvisories } from './commands/advisory-commands.ts'
import { describeAudit } from './commands/audit-commands.ts'
import { describeClientTools } from './commands/client-commands.ts'
import { commandLine } from './commands/command-line.ts'
import { describeDevTools } from './commands/dev-commands.ts'
import { describeEvents } from './commands/event-commands.ts'
import { describeIam } from './commands/iam-commands.ts'
import { describeJobs } from './commands/job-commands.ts'
import { describeMasterKey } from './commands/master-key-commands.ts'
import { describeMirror } from './commands/mirror-commands.ts'
import { describeMoving } from './commands/moving-commands.ts'
import { describeReplication } from './commands/replication-commands.ts'
import { describeScans } from './commands/scan-commands.ts'
import { describeServe } from './commands/serve-commands.ts'
import { describeSigning } from './commands/signing-commands.ts'
import { describeTrust } from './commands/trust-commands.ts'
import type { AppFactory } from './running-app.ts'
import { EXIT, type Terminal } from './terminal.ts'

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

/** Failures whose message is a whole sentence for the operator. */
const SPOKEN = ['CommandFailure', 'ListenError', 'CertificateError', 'MasterKeyUnavailable', 'MetadataUnusable']

function explain(failure: unknown, terminal: Terminal): number {
  if (failure instanceof Error && SPOKEN.includes(failure.name)) {
    terminal.err(`${failure.message}\n`)
    return EXIT.failed
  }
  if (isNamed(failure, 'CommandMisuse')) {
    terminal.err(`${failure.message}\n`)
    return EXIT.misused
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

/** In the order in which `--help` lists them. */
const DESCRIPTIONS = [
  describeServe,
  describeJobs,
  describeMoving,
  describeDevTools,
  describeAdvisories,
  describeEvents,
  describeScans,
  describeReplication,
  describeSigning,
  describeAdmin,
  describeIam,
  describeMasterKey,
  describeAudit,
  describeTrust,
  describeMirror,
  describeClientTools,
]

function describeProgram(terminal: Terminal, createApp: AppFactory, end: (code: number) => void): Command {
  const program = new Command('ecru')
    .description("A container registry that answers to Amazon ECR's own interface.")
    .version(`ecru ${VERSION}`)
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .showHelpAfterError('(`ecru --help` lists the commands.)')
    .helpCommand(false)
  const line = commandLine(program, terminal, createApp, end)
  for (const describe of DESCRIPTIONS) describe(line)
  return program
}
