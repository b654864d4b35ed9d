import type { Region } from '../../domain/names.ts'
import { ANONYMOUS, from } from '../../domain/principal.ts'
import type { RequestCircumstances } from '../http/circumstances.ts'
import type { RequestContext } from '../http/context.ts'
import { type AwsCall, type AwsSetting, originOf } from './context.ts'
import { type ServiceModel, signingNameOf } from './model.ts'
import { type SignedBy, verifySigV4 } from './sigv4/verify.ts'

/** Checks the signature of a request to a service. Throws as `verifySigV4`. */
export function authenticate(
  request: Request,
  model: ServiceModel,
  { callers, clock, profile, attempts }: AwsSetting,
  body: () => Promise<Uint8Array>,
  { clientAddress: remoteAddress }: RequestContext,
): Promise<SignedBy> {
  const { method, headers, url } = request
  return verifySigV4(
    { method, url: new URL(url), headers, body },
    (accessKeyId) => callers.findSecrets(accessKeyId),
    clock.now(),
    { services: [signingNameOf(model)], acceptsUnknownKeys: profile === 'dev', attempts, remoteAddress },
  )
}

/** The call that a signed request makes. */
export async function callOf(
  signedBy: SignedBy,
  request: Request,
  { callers }: AwsSetting,
  context: RequestContext,
  circumstances: RequestCircumstances,
): Promise<AwsCall> {
  const principal = from(await callers.identify(signedBy), circumstances)
  context.setPrincipal(principal.arn)
  return {
    principal,
    region: signedBy.region,
    requestId: context.requestId,
    origin: originOf(request, context.isSecure),
  }
}

/** The same of a request that needs no signature: nobody's, whatever it carries. */
export function unsignedCallOf(
  request: Request,
  context: RequestContext,
  circumstances: RequestCircumstances,
): AwsCall {
  return {
    principal: from(ANONYMOUS, circumstances),
    region: 'us-east-1' as Region,
    requestId: context.requestId,
    origin: originOf(request, context.isSecure),
  }
}
