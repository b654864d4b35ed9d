import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RegistryClient, type RegistryClientSettings } from '../clients/registry.ts'
import { pause } from '../clients/retry.ts'
import { type Config, readConfig } from '../config/config.ts'
import { type Digest, parseDigest } from '../domain/digest.ts'
import { systemClock } from '../lib/clock.ts'
import { silentLogger } from '../lib/logger.ts'
import { detachedContext, type Handler } from '../protocols/http/context.ts'
import { startHttpServer } from '../protocols/http/server.ts'
import { TLS_DIRECTORY } from '../tls/open-certificates.ts'
import { AUTHORITY_FILE } from '../tls/own-authority.ts'
import { lockDataDirectory } from './data-lock.ts'
import { findTarget } from './find-target.ts'
import type { Flags, Invocation } from './invocation.ts'
import { signerFrom } from './operator-client.ts'
import type { AppFactory } from './running-app.ts'
import { type Signer, signedHeaders } from './signed-headers.ts'
import { CommandFailure, CommandMisuse, type Terminal } from './terminal.ts'

/** This registry, as somebody who may act in one of its accounts sees it. */
export interface RegistrySide {
  readonly client: RegistryClient
  repositories(): AsyncIterable<string>
  images(repository: string): AsyncIterable<{ readonly tag?: string; readonly digest: Digest }>
  /** Makes a repository that is not there. */
  create(repository: string): Promise<void>
  close(): Promise<void>
}

type Ask = (operation: string, members: object) => Promise<Readonly<Record<string, unknown>>>

/** Time-outs and patience towards registries, for somebody who waits. */
export function clientSettings(ca: unknown, allowsHttp: boolean): RegistryClientSettings {
  return {
    allowsPrivateAddresses: true,
    allowsHttp,
    caCertificates: typeof ca === 'string' ? certificatesIn(ca) : undefined,
    // The end of a large push is answered once its bytes are safe on the disk.
    answerMs: 15 * 60_000,
    stallMs: 60_000,
    attempts: 5,
    waitMsMax: 60_000,
    pause,
    random: Math.random,
  }
}

/** The running server, with the caller's credentials; or the data directory, when nobody else uses it. */
export async function openRegistrySide(
  command: string,
  { options, flags, terminal, createApp }: Invocation,
): Promise<RegistrySide> {
  const { config } = readConfig(terminal.env, options)
  const region = typeof flags.region === 'string' ? flags.region : config.defaultRegistry.region
  const target = findTarget(config, flags.url)
  if (target === undefined) return await openOffline(command, config, region, flags, createApp)
  const signer = signerFor(config, terminal, flags.account)
  const ca = flags.ca ?? (terminal.env.AWS_CA_BUNDLE || (target.isLocal ? ownAuthority(config) : undefined))
  const ask = asking(remotely(target.url, ca), target.url, region, signer)
  await checkAccount(ask, flags.account)
  return sideOf(new URL(target.url), ask, flags, ca)
}

/** What the server on this machine shows to its clients. */
function ownAuthority({ storage }: Config): string | undefined {
  const file = storage.kind === 'directory' ? join(storage.path, TLS_DIRECTORY, AUTHORITY_FILE) : ''
  return existsSync(file) ? file : undefined
}

/** Credentials decide in whose account one acts: another one that was named must not be ignored. */
async function checkAccount(ask: Ask, account: unknown): Promise<void> {
  if (account === undefined) return
  const { registryId } = await ask('DescribeRegistry', {})
  if (registryId !== account)
    throw new CommandFailure(
      `The credentials are those of the account ${String(registryId)}, and not of ${String(account)}.`,
    )
}

function signerFor(config: Config, { env }: Terminal, account: unknown): Signer {
  const known = signerFrom(config, env)
  const isAccountKey = /^\d{12}$/.test(known?.accessKeyId ?? '')
  if (known !== undefined && !(isAccountKey && account !== undefined)) {
    const token = env.AWS_SESSION_TOKEN
    return config.rootKey === undefined && token ? { ...known, sessionToken: token } : known
  }
  if (config.profile === 'dev') return accountKey(config, account)
  throw new CommandFailure(
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a key of the account whose repositories are meant.',
  )
}

/** In the dev profile, whoever names an account acts in it. */
function accountKey({ defaultRegistry }: Config, account: unknown): Signer {
  const id = typeof account === 'string' ? account : defaultRegistry.registryId
  if (!/^\d{12}$/.test(id)) throw new CommandMisuse(`'${id}' is not an account: those have twelve digits.`)
  return { accessKeyId: id, secretAccessKey: 'ecru' }
}

/** Its API is asked without a socket; on the socket there is only what asks for a login token. */
async function openOffline(
  command: string,
  config: Config,
  region: string,
  flags: Flags,
  createApp: AppFactory,
): Promise<RegistrySide> {
  if (config.storage.kind === 'memory') throw new CommandFailure('Which server? Name its address with --url.')
  const lock = lockDataDirectory(config.storage.path, command)
  try {
    // Who may open the data directory may act for any account in it.
    const app = await createApp({ ...config, profile: 'dev' }, silentLogger)
    try {
      const onlyOci: Handler = async (request, context) =>
        new URL(request.url).pathname.startsWith('/v2/')
          ? await app.handle(request, context)
          : new Response(null, { status: 404 })
      const server = startHttpServer(
        { host: '127.0.0.1', port: 0, tls: undefined, idleTimeoutMs: config.idleTimeoutMs, logger: silentLogger },
        onlyOci,
      )
      const ask = asking(
        (address, init) => app.handle(new Request(address.href, init), detachedContext()),
        server.url,
        region,
        accountKey(config, flags.account),
      )
      const side = sideOf(new URL(server.url), ask, flags, undefined)
      return {
        ...side,
        close: async () => {
          await server.close(1000)
          await app.close()
          lock.release()
        },
      }
    } catch (thrown) {
      await app.close()
      throw thrown
    }
  } catch (thrown) {
    lock.release()
    throw thrown
  }
}

function sideOf(url: URL, ask: Ask, flags: Flags, ca: unknown): RegistrySide {
  const login = oncePerRefusal(async () => {
    const { authorizationData } = await ask('GetAuthorizationToken', {})
    const [first] = authorizationData as readonly { readonly authorizationToken: string }[]
    const text = Buffer.from(first?.authorizationToken ?? '', 'base64').toString()
    return { username: 'AWS', password: text.slice(text.indexOf(':') + 1) }
  })
  return {
    client: new RegistryClient(url, login, clientSettings(ca, url.protocol === 'http:'), systemClock),
    async *repositories() {
      for await (const { repositories } of pages(ask, 'DescribeRepositories', {}))
        for (const { repositoryName } of repositories as readonly { readonly repositoryName: string }[])
          yield repositoryName
    },
    async *images(repositoryName) {
      for await (const { imageIds } of pages(ask, 'ListImages', { repositoryName }))
        for (const { imageTag, imageDigest } of imageIds as readonly { imageTag?: string; imageDigest: string }[])
          yield { digest: parseDigest(imageDigest), ...(imageTag === undefined ? {} : { tag: imageTag }) }
    },
    async create(repositoryName) {
      const known = await ask('DescribeRepositories', { repositoryNames: [repositoryName] }).catch(unlessAbsent)
      if (known !== undefined) return
      if (flags.create === false) throw new CommandFailure(`There is no repository ${repositoryName}.`)
      await ask('CreateRepository', { repositoryName })
    },
    close: async () => undefined,
  }
}

/** Keeps what was got until the other side refuses it. */
export function oncePerRefusal<T>(get: () => Promise<T>): (isRefused: boolean) => Promise<T> {
  let got: Promise<T> | undefined
  return (isRefused) => {
    if (isRefused || got === undefined) {
      got = get()
      got.catch(() => {
        got = undefined
      })
    }
    return got
  }
}

/** What ECR's API answers in words. */
class Refused extends CommandFailure {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

type Send = (url: URL, init: RequestInit) => Promise<Response>

function asking(send: Send, url: string, region: string, signer: Signer): Ask {
  return async (operation, members) => {
    const body = JSON.stringify(members)
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AmazonEC2ContainerRegistry_V20150921.${operation}`,
    }
    const address = new URL('/', url)
    const signed = await signedHeaders(address, { method: 'POST', region, headers, body }, signer)
    const response = await send(address, { method: 'POST', headers: signed, body })
    const answer = (await response.json().catch(() => ({}))) as Readonly<Record<string, unknown>>
    if (response.ok) return answer
    const code = String(answer.__type ?? '').replace(/^.*#/, '')
    throw new Refused(code, `${url} refused ${operation} (${response.status}): ${String(answer.message ?? code)}`)
  }
}

function remotely(url: string, ca: unknown): Send {
  const tls = typeof ca === 'string' ? { tls: { ca: certificatesIn(ca) } } : {}
  return async (address, init) => {
    try {
      return await fetch(address, { ...init, redirect: 'error', ...tls })
    } catch (cause) {
      throw new CommandFailure(`The server at ${url} cannot be reached: ${(cause as Error).message}`, { cause })
    }
  }
}

async function* pages(ask: Ask, operation: string, members: object) {
  let nextToken: unknown
  do {
    const page = await ask(operation, nextToken === undefined ? members : { ...members, nextToken })
    yield page
    nextToken = page.nextToken
  } while (nextToken !== undefined && nextToken !== null)
}

function unlessAbsent(thrown: unknown): undefined {
  if (thrown instanceof Refused && thrown.code === 'RepositoryNotFoundException') return undefined
  throw thrown
}

function certificatesIn(file: string): string {
  if (!existsSync(file)) throw new CommandFailure(`There are no certificates at ${file}.`)
  return readFileSync(file, 'utf8')
}
