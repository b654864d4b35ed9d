import type { Config } from '../config/config.ts'
import { type Signer, signedHeaders } from './signed-headers.ts'
import { CommandFailure } from './terminal.ts'

/** A server that runs, and how it was found. */
export interface Target {
  readonly url: string
  /** It holds the data directory of this machine: its certificate need not name the address we reach it by. */
  readonly isLocal: boolean
}

/** The key to sign operator requests with: the configured root key, or else the one AWS tools would use. */
export function signerFrom(config: Config, env: Readonly<Record<string, string | undefined>>): Signer | undefined {
  if (config.rootKey !== undefined) return config.rootKey
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env
  return accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined
}

/** Asks a running server, and answers its JSON. Waits as long as the work takes. Throws `CommandFailure`. */
export async function askServer(
  target: Target,
  method: 'GET' | 'POST',
  path: string,
  region: string,
  signer?: Signer,
): Promise<object> {
  const url = new URL(path, target.url)
  const headers = signer === undefined ? {} : await signedHeaders(url, { method, region }, signer)
  return await ask(target, url, { method, headers }, (status) => hintFor(status, signer))
}

/** Has a running server make something, and answers its bytes as they come; they end with a failure when it fails. Throws `CommandFailure`. */
export async function streamFromServer(
  target: Target,
  path: string,
  region: string,
  signer?: Signer,
): Promise<AsyncIterable<Uint8Array>> {
  const url = new URL(path, target.url)
  const headers = signer === undefined ? {} : await signedHeaders(url, { method: 'POST', region }, signer)
  const response = await reach(target, url, { method: 'POST', headers })
  if (response.ok && response.body !== null) return response.body as AsyncIterable<Uint8Array>
  throw await refusal(target, response, hintFor(response.status, signer))
}

/** The same for what a server answers to programs on its own machine, whoever they are. */
export async function askFromHere(
  target: Target,
  method: 'GET' | 'POST',
  path: string,
  members?: object,
): Promise<object> {
  const body = members === undefined ? {} : { body: JSON.stringify(members) }
  return await ask(target, new URL(path, target.url), { method, ...body }, () => '')
}

async function ask(target: Target, url: URL, request: RequestInit, hint: (status: number) => string): Promise<object> {
  const response = await reach(target, url, request)
  if (!response.ok) throw await refusal(target, response, hint(response.status))
  const text = await response.text()
  const answer = parseObject(text)
  if (answer !== undefined) return answer
  throw new CommandFailure(`${target.url} answers what is no JSON: ${text.slice(0, 200)}`)
}

async function refusal(target: Target, response: Response, hint: string): Promise<CommandFailure> {
  const text = await response.text()
  const message = (parseObject(text) as { readonly message?: string } | undefined)?.message ?? text.slice(0, 200)
  return new CommandFailure(`${target.url} refused (${response.status}): ${message}${hint}`)
}

async function reach(target: Target, url: URL, request: RequestInit): Promise<Response> {
  const tls = target.isLocal ? { tls: { rejectUnauthorized: false } } : {}
  try {
    return await fetch(url, { ...request, ...tls, redirect: 'error', timeout: false } as BunFetchRequestInit)
  } catch (failure) {
    const reason = failure instanceof Error ? failure.message : String(failure)
    throw new CommandFailure(`The server at ${target.url} cannot be reached: ${reason}`, { cause: failure })
  }
}

function hintFor(status: number, signer: Signer | undefined): string {
  if (signer !== undefined || status < 400 || status >= 500) return ''
  return '\nSet AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the root key of the registry.'
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
