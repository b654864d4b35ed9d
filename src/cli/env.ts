import { existsSync } from 'node:fs'
import { readConfig } from '../config/config.ts'
import { configuredUrl, findTarget } from './find-target.ts'
import type { Invocation } from './invocation.ts'
import { EXIT } from './terminal.ts'

interface Syntax {
  readonly set: (name: string, value: string) => string
  readonly unset: (name: string) => string
  readonly comment: (text: string) => string
}

const quoted = (value: string) => `'${value.replaceAll("'", `'\\''`)}'`
const comment = (text: string) => `# ${text}`

const SYNTAXES: Readonly<Record<string, Syntax>> = {
  bash: { set: (name, value) => `export ${name}=${quoted(value)}`, unset: (name) => `unset ${name}`, comment },
  fish: { set: (name, value) => `set -gx ${name} ${quoted(value)}`, unset: (name) => `set -e ${name}`, comment },
  powershell: {
    set: (name, value) => `$env:${name} = '${value.replaceAll("'", "''")}'`,
    unset: (name) => `Remove-Item Env:${name} -ErrorAction SilentlyContinue`,
    comment,
  },
}

/**
 * `ecru env`: what to `eval` so that the AWS CLI and SDKs talk to this registry. In the dev profile the access key is
 * the account's number, which is how a caller chooses an account there; the server profile's keys are never printed.
 */
export function printEnvironment({ options, flags, terminal }: Invocation): number {
  const { config } = readConfig(terminal.env, options)
  const syntax = SYNTAXES[String(flags.shell)] ?? SYNTAXES.bash
  if (syntax === undefined) return EXIT.misused
  const hasDirectory = config.storage.kind === 'directory' && existsSync(config.storage.path)
  const target = flags.url !== undefined || hasDirectory ? findTarget(config, flags.url) : undefined
  const { registryId, region } = config.defaultRegistry
  const lines = [
    syntax.set('AWS_ENDPOINT_URL', target?.url ?? configuredUrl(config)),
    // The SDKs read the first, the AWS CLI and boto3 the second.
    syntax.set('AWS_REGION', region),
    syntax.set('AWS_DEFAULT_REGION', region),
  ]
  if (config.profile === 'dev') {
    lines.push(syntax.set('AWS_ACCESS_KEY_ID', registryId), syntax.set('AWS_SECRET_ACCESS_KEY', 'ecru'))
    lines.push(syntax.unset('AWS_SESSION_TOKEN'), syntax.unset('AWS_PROFILE'))
  } else {
    lines.push(syntax.comment('Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a key of this registry.'))
  }
  terminal.out(`${lines.join('\n')}\n`)
  return EXIT.ok
}
