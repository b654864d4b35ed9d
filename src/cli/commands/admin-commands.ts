import type { Command } from 'commander'
import type { Flags } from '../invocation.ts'
import type { AdminCommand } from '../running-app.ts'
import { type CommandLine, URL_OPTION, WHERE } from './command-line.ts'

const ACCOUNT_EXAMPLES = `  ecru admin account create 123456789012
  ecru admin account list --json`
const ROOT_EXAMPLES = `  ecru admin root rotate
  ecru admin root rotate --account 123456789012`
const ALIAS_EXAMPLES = `  ecru admin public-alias add acme --primary
  ecru admin public-alias list --account 123456789012
  ecru admin public-alias remove acme`
const TOKEN_EXAMPLES = `  ecru admin token create --user ci --repositories 'team/*' --actions pull --expires 90d
  ecru admin token list
  ecru admin token revoke 0123456789abcdef`
const TOKEN_KEY_EXAMPLES = `  ecru admin token-key rotate
  ecru admin token-key rotate --revoke`
const SESSION_EXAMPLES = `  ecru admin session revoke arn:aws:iam::123456789012:role/deploy
  ecru admin session revoke arn:aws:iam::123456789012:user/ci --before 2026-01-01T12:00:00Z`

type ParametersOf = (flags: Flags, operand: string | undefined) => Promise<Readonly<Record<string, string | undefined>>>

/** `ecru admin …`. */
export function describeAdmin(line: CommandLine): void {
  const { command, group } = line
  const admin = group('admin', 'Accounts, root keys, login tokens, sessions and public aliases.', ACCOUNT_EXAMPLES)
  const add = (
    name: AdminCommand,
    words: string,
    summary: string,
    examples: string,
    parent: Command,
    parametersOf: ParametersOf,
  ) =>
    command(
      { name: words, summary, examples, variables: WHERE },
      async (invocation, [operand]) => {
        const { administer } = await import('../admin.ts')
        return await administer(name, await parametersOf(invocation.flags, operand), invocation)
      },
      parent,
    )
      .option('--json', 'Print the answer as JSON.')
      .option(...URL_OPTION)

  const account = group('account', 'The accounts of the installation.', ACCOUNT_EXAMPLES, admin)
  add(
    'account/create',
    'create <id>',
    'Make an account and print its root key, once.',
    ACCOUNT_EXAMPLES,
    account,
    async (_, id) => ({ account: id }),
  )
  add('account/list', 'list', 'List the accounts.', ACCOUNT_EXAMPLES, account, async () => ({}))

  const root = group('root', "The accounts' root keys.", ROOT_EXAMPLES, admin)
  add(
    'root/rotate',
    'rotate',
    'Replace a root key and print the new one, once; the old one and its login tokens are worth nothing at once.',
    ROOT_EXAMPLES,
    root,
    async (flags) => ({ account: textOf(flags.account) }),
  ).option('--account <id>', "The account; otherwise the server's default account.")

  const alias = group('public-alias', 'The names by which public registries are found.', ALIAS_EXAMPLES, admin)
  add(
    'public-alias/add',
    'add <name>',
    "Let an account's public images be named by an alias of its choice.",
    ALIAS_EXAMPLES,
    alias,
    async (flags, name) => ({
      name,
      account: textOf(flags.account),
      primary: flags.primary === true ? 'true' : undefined,
    }),
  )
    .option('--primary', 'Show it in addresses, in place of the one that they show now.')
    .option('--account <id>', "The account; otherwise the server's default account.")
  add('public-alias/list', 'list', "List an account's aliases.", ALIAS_EXAMPLES, alias, async (flags) => ({
    account: textOf(flags.account),
  })).option('--account <id>', "The account; otherwise the server's default account.")
  add(
    'public-alias/remove',
    'remove <name>',
    'Take an alias away: nothing is found under it from then on.',
    ALIAS_EXAMPLES,
    alias,
    async (_, name) => ({ name }),
  )

  const token = group('token', 'Long-lived login tokens of robots.', TOKEN_EXAMPLES, admin)
  add(
    'token/create',
    'create',
    'Make a token for `docker login` and print it, once.',
    TOKEN_EXAMPLES,
    token,
    async (flags) => {
      const { secondsOf } = await import('../admin.ts')
      return {
        account: textOf(flags.account),
        region: textOf(flags.region),
        user: textOf(flags.user),
        repositories: textOf(flags.repositories),
        actions: textOf(flags.actions),
        seconds: secondsOf(flags.expires),
      }
    },
  )
    .requiredOption('--user <name>', 'The IAM user whose permissions it narrows.')
    .requiredOption(
      '--repositories <names>',
      'The repositories, by names with * and ? as wildcards and commas between.',
    )
    .option('--actions <list>', 'pull, push, cache (have caches filled by pulls), with commas between.', 'pull')
    .option('--expires <duration>', 'How long it lives.', '90d')
    .option('--account <id>', "The user's account; otherwise the server's default account.")
    .option('--region <name>', "The region that it logs in to; otherwise the server's default region.")
  add('token/list', 'list', 'List the tokens, without their secrets.', TOKEN_EXAMPLES, token, async () => ({}))
  add('token/revoke', 'revoke <id>', 'End a token at once.', TOKEN_EXAMPLES, token, async (_, id) => ({ id }))

  const tokenKey = group('token-key', 'The key that signs login tokens.', TOKEN_KEY_EXAMPLES, admin)
  add(
    'token-key/rotate',
    'rotate',
    'Sign with a new key; what was signed before stays good until it expires.',
    TOKEN_KEY_EXAMPLES,
    tokenKey,
    async (flags) => ({ revoke: flags.revoke === true ? 'true' : undefined }),
  ).option('--revoke', 'End every login token that was signed before, at once.')

  const session = group('session', 'Temporary credentials.', SESSION_EXAMPLES, admin)
  add(
    'session/revoke',
    'revoke <arn>',
    'End the sessions of a role, a user or a root, with their login tokens.',
    SESSION_EXAMPLES,
    session,
    async (flags, identity) => ({ identity, before: textOf(flags.before) }),
  ).option('--before <moment>', 'Only those that began earlier, such as 2026-01-01T12:00:00Z; otherwise all until now.')
}

function textOf(flag: unknown): string | undefined {
  return typeof flag === 'string' ? flag : undefined
}
