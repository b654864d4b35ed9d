/** A shape of a service's contract: the type of a value, and what it must satisfy. */
export interface Shape {
  readonly type: string
  readonly required?: readonly string[]
  readonly members?: Readonly<Record<string, { readonly shape: string } | undefined>>
  readonly member?: { readonly shape: string }
  readonly key?: { readonly shape: string }
  readonly value?: { readonly shape: string }
  readonly min?: number
  readonly max?: number
  readonly pattern?: string
  readonly enum?: readonly string[]
  /** Its values are secrets. */
  readonly sensitive?: boolean
}

/** An operation of a service's contract. */
export interface OperationModel {
  readonly name: string
  readonly input?: { readonly shape: string }
  readonly output?: { readonly shape: string; readonly resultWrapper?: string }
  /** The exceptions of its own. */
  readonly errors?: readonly { readonly shape: string }[]
  /** `none`: the operation is called without a signature. */
  readonly authtype?: string
}

/** One of `models/*.json`, as far as Ecru reads it. */
export interface ServiceModel {
  readonly metadata: {
    readonly apiVersion: string
    readonly endpointPrefix: string
    readonly serviceId: string
    /** What stands in the signature's scope, when it is not the endpoint's prefix. */
    readonly signingName?: string
    /** What stands before the operation's name in `X-Amz-Target`. */
    readonly targetPrefix?: string
    readonly xmlNamespace?: string
    /** Of AWS JSON; 1.1 when it is not said. */
    readonly jsonVersion?: string
    /** Clients of the other protocols are told what errors are called in the Query protocol. */
    readonly awsQueryCompatible?: object
  }
  readonly operations: Readonly<Record<string, OperationModel | undefined>>
  readonly shapes: Readonly<Record<string, Shape | undefined>>
}

/** The service's name in a signature's scope. */
export function signingNameOf({ metadata }: ServiceModel): string {
  return metadata.signingName ?? metadata.endpointPrefix
}

/** The shape of that name. Throws when the model does not hold together, which a start-up finds. */
export function shapeOf(model: ServiceModel, name: string): Shape {
  const shape = model.shapes[name]
  if (shape === undefined) throw new Error(`The model of ${model.metadata.serviceId} names an unknown shape: ${name}`)
  return shape
}
