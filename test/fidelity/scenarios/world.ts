import { parseDigest } from '../../../src/domain/digest.ts'
import { sha256 } from '../../support/image-builder.ts'
import { indexOf, manifestOf, OCI_INDEX, OCI_MANIFEST } from '../../support/service-fixture.ts'
import { ACCOUNT, type ApiAnswer, type InProcessRegistry, REGION } from '../in-process-registry.ts'

/** Who acts, and through which host of the registry. */
export interface Actor {
  readonly account: string
  readonly region: string
  /** The host of `/v2/`: by default that of the registry's owner. */
  readonly host: string
}

export const OWNER: Actor = { account: ACCOUNT, region: REGION, host: hostOf(ACCOUNT) }

export function hostOf(account: string, region = REGION): string {
  return `${account}.dkr.ecr.${region}.registry.test`
}

/** A manifest that scenarios speak of by name. */
export interface Manifest {
  readonly name: string
  readonly digest: string
  readonly text: string
  readonly mediaType: string
  /** The contents of its config and layers. */
  readonly blobs: readonly string[]
}

/** What happens in one scenario: a registry of its own, who acts in it, and the names of what was made. */
export class World {
  readonly registry: InProcessRegistry
  actor: Actor = OWNER
  readonly #manifests = new Map<string, Manifest>()
  readonly #logins = new Map<string, string>()

  constructor(registry: InProcessRegistry) {
    this.registry = registry
  }

  /** The manifest of this name: that of a plain image, unless it was described otherwise. */
  manifest(name: string): Manifest {
    return this.#manifests.get(name) ?? this.describe(name)
  }

  /** Gives a name to an image over `config of NAME` and `layer of NAME`. */
  describe(name: string, extra: object = {}, layers: readonly string[] = [`layer of ${name}`]): Manifest {
    const digests = layers.map((content) => parseDigest(sha256(content)))
    const bytes = manifestOf(parseDigest(sha256(`config of ${name}`)), digests, extra)
    return this.#named(name, bytes, OCI_MANIFEST, [`config of ${name}`, ...layers])
  }

  describeIndex(name: string, children: readonly string[]): Manifest {
    const bytes = indexOf(children.map((child) => parseDigest(this.manifest(child).digest)))
    return this.#named(name, bytes, OCI_INDEX, [])
  }

  #named(name: string, bytes: Uint8Array, mediaType: string, blobs: readonly string[]): Manifest {
    const text = new TextDecoder().decode(bytes)
    const manifest = { name, digest: sha256(text), text, mediaType, blobs }
    this.#manifests.set(name, manifest)
    return manifest
  }

  /** The name of a digest that scenarios know, or the digest. */
  nameOf(digest: string): string {
    for (const manifest of this.#manifests.values()) if (manifest.digest === digest) return manifest.name
    return digest
  }

  /** `@NAME` stands for the digest of a named manifest; anything else for a tag. */
  referenceOf(reference: string): string {
    return reference.startsWith('@') ? this.manifest(reference.slice(1)).digest : reference
  }

  call(operation: string, input: object): Promise<ApiAnswer> {
    return this.registry.call(operation, input, this.actor)
  }

  /** The value of `Authorization`: logged in once by GetAuthorizationToken. */
  async login(): Promise<string> {
    const { account, region } = this.actor
    const key = `${account} ${region}`
    const known = this.#logins.get(key)
    if (known !== undefined) return known
    const { body } = await this.call('GetAuthorizationToken', {})
    const [data] = body.authorizationData as readonly { readonly authorizationToken: string }[]
    const login = `Basic ${data?.authorizationToken}`
    this.#logins.set(key, login)
    return login
  }

  /** The next request logs in anew. */
  forgetLogins(): void {
    this.#logins.clear()
  }

  /** A request to `/v2/`, logged in; a path that is a whole URL is asked as it is. */
  async oci(
    method: string,
    path: string,
    { body, headers }: { readonly body?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Response> {
    const url = path.startsWith('http') ? path : `http://${this.actor.host}/v2/${path}`
    const all = { authorization: await this.login(), ...headers }
    return this.registry.send(new Request(url, { method, headers: all, ...(body === undefined ? {} : { body }) }))
  }
}
