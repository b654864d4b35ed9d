import { readFileSync } from 'node:fs'
import type { IssuerKeys } from '../clients/issuer-keys.ts'
import type { PublicFetchSettings } from '../clients/public-fetch.ts'
import type { Config } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { Once } from '../lib/once.ts'
import type { Access } from '../services/access/access.ts'
import { Administration } from '../services/administration.ts'
import { Callers } from '../services/credentials/callers.ts'
import { KeyUses } from '../services/credentials/key-uses.ts'
import { Logins } from '../services/credentials/logins.ts'
import { RobotTokens } from '../services/credentials/robot-tokens.ts'
import { RootKeys } from '../services/credentials/root-keys.ts'
import { Sessions } from '../services/credentials/sessions.ts'
import { TokenKeys } from '../services/credentials/token-keys.ts'
import { TOKEN_LIFETIME_MS, Tokens } from '../services/credentials/tokens.ts'
import { PublicAliases } from '../services/repositories/public-aliases.ts'
import { RoleSessions } from '../services/sts/role-sessions.ts'
import { UserSessions } from '../services/sts/user-sessions.ts'
import { WebIdentitySessions } from '../services/sts/web-identity-sessions.ts'
import { asError, type Foundation } from './foundation.ts'

/** Who calls: accounts, keys, sessions, and the tokens of logins. */
export function createIdentityServices(
  { config, logger, clock, realClock, ids, metadata }: Foundation,
  access: Access,
) {
  const keyUses = new KeyUses(metadata, clock, (error) => logger.error({ error: asError(error) }, 'uses of keys lost'))
  const callers = new Callers(metadata, config.defaultRegistry, clock, keyUses)
  const sessions = new Sessions(metadata, clock, ids)
  const rootKeys = new RootKeys(metadata, config.defaultRegistry, clock, ids)
  const tokenKeys = new TokenKeys(metadata, clock, ids, TOKEN_LIFETIME_MS)
  const robotTokens = new RobotTokens(metadata, clock, ids)
  const acceptsUnknownKeys = config.profile === 'dev'
  const tokens = new Tokens(
    { metadata, callers, robots: robotTokens, keys: tokenKeys, clock, ids },
    { acceptsUnknownKeys },
  )
  return {
    administration: new Administration(
      { rootKeys, robotTokens, tokenKeys, sessions, publicAliases: new PublicAliases(metadata, ids), clock },
      config.defaultRegistry,
    ),
    callers,
    keyUses,
    logins: new Logins(access, tokens),
    robotTokens,
    roleSessions: new RoleSessions(metadata, access, sessions),
    rootKeys,
    sessions,
    tokenKeys,
    tokens,
    userSessions: new UserSessions(metadata, access, callers, sessions),
    webIdentitySessions: new WebIdentitySessions(metadata, sessions, issuerKeysOf(config, realClock), realClock),
  }
}

/** The keys of OpenID Connect issuers. What fetches them is loaded with the first token of one, not with the process. */
function issuerKeysOf(config: Config, realClock: Clock): Pick<IssuerKeys, 'find'> {
  const loaded = new Once(async () => {
    const { IssuerKeys } = await import('../clients/issuer-keys.ts')
    return new IssuerKeys(oidcSettings(config), realClock)
  })
  return { find: async (issuer, keyId) => (await loaded.get()).find(issuer, keyId) }
}

const KEY_SET_BYTES_MAX = 256 * 1024
const KEY_SET_WAIT_MS = 5_000

/** Throws when the file of certificates cannot be read. */
function oidcSettings({ oidc }: Config): PublicFetchSettings {
  const { caFile, allowsPrivateAddresses, allowsHttp } = oidc
  const caCertificates = caFile === undefined ? undefined : readFileSync(caFile, 'utf8')
  const timeoutMs = KEY_SET_WAIT_MS
  return { allowsPrivateAddresses, allowsHttp, caCertificates, timeoutMs, bytesMax: KEY_SET_BYTES_MAX }
}
