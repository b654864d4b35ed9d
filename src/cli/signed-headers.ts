/** An access key, temporary ones with their token. */
export interface Signer {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** What is signed beside the URL. */
export interface SignableRequest {
  readonly method: 'GET' | 'POST'
  readonly region: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** The headers of a request to ECR's API with its signature; the host is not among them, since the client sends it anyway. */
export async function signedHeaders(
  url: URL,
  request: SignableRequest,
  signer: Signer,
): Promise<Record<string, string>> {
  const [{ SignatureV4 }, { HttpRequest }, { Sha256 }] = await Promise.all([
    import('@smithy/signature-v4'),
    import('@smithy/protocol-http'),
    import('@aws-crypto/sha256-js'),
  ])
  const { method, region, headers: given, body } = request
  const signature = new SignatureV4({ service: 'ecr', region, credentials: signer, sha256: Sha256 })
  const { protocol, hostname, pathname: path, host } = url
  const query = Object.fromEntries(url.searchParams)
  const signed = await signature.sign(
    new HttpRequest({ method, protocol, hostname, path, query, headers: { ...given, host }, body }),
  )
  const { host: _host, ...headers } = signed.headers
  return headers
}
