import type { Delivery, DeliveryOutcome } from '../../domain/eventbridge/delivery.ts'
import type { Destination } from '../../domain/eventbridge/destination.ts'
import { type PublicFetchSettings, publicFetch } from '../public-fetch.ts'
import { outcomeOf } from './answers.ts'

type Sqs = Extract<Destination, { readonly kind: 'sqs' }>

const ARN = /^arn:aws[a-z-]*:sqs:([a-z0-9-]+):([0-9]*):(.+)$/

/** Sends an event to a queue that speaks SQS (JSON 1.0, SigV4). Throws `FetchRefused` when the endpoint cannot be asked. */
export async function sendToQueue(
  { endpoint, queueUrl, region, accessKeyId = 'test' }: Sqs,
  secretKey: string | undefined,
  { arn, eventId, input, messageGroupId }: Delivery,
  settings: PublicFetchSettings,
  now: Date,
): Promise<DeliveryOutcome> {
  const [, arnRegion, account, name = ''] = ARN.exec(arn) ?? []
  if (queueUrl === undefined && name === '')
    return { kind: 'refused', reason: 'Neither the ARN nor the destination names a queue' }
  const url = new URL(endpoint)
  const isFifo = messageGroupId !== undefined
  const body = JSON.stringify({
    QueueUrl: queueUrl ?? new URL(`/${account}/${name}`, endpoint).href,
    MessageBody: input,
    ...(isFifo && { MessageGroupId: messageGroupId, MessageDeduplicationId: eventId }),
  })
  const signer = { accessKeyId, secretAccessKey: secretKey ?? 'test', region: region ?? arnRegion ?? 'us-east-1' }
  const headers = await signed(url, body, signer, now)
  return outcomeOf(await publicFetch(url.href, settings, undefined, { headers, body }), now)
}

async function signed(
  { protocol, hostname, pathname: path, host }: URL,
  body: string,
  {
    region,
    ...credentials
  }: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly region: string },
  now: Date,
): Promise<Record<string, string>> {
  const [{ SignatureV4 }, { HttpRequest }, { Sha256 }] = await Promise.all([
    import('@smithy/signature-v4'),
    import('@smithy/protocol-http'),
    import('@aws-crypto/sha256-js'),
  ])
  const signature = new SignatureV4({ service: 'sqs', region, credentials, sha256: Sha256 })
  const headers = {
    host,
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'AmazonSQS.SendMessage',
  }
  const request = new HttpRequest({ method: 'POST', protocol, hostname, path, headers, body })
  return (await signature.sign(request, { signingDate: now })).headers
}
