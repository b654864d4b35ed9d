import { Once } from '../../lib/once.ts'
import type { Handler } from '../http/context.ts'
import type { LargeBodies } from '../http/large-bodies.ts'
import { pathOf } from '../http/router.ts'
import type { AwsSetting } from './context.ts'
import { createJsonHandler, type JsonService, type Locate, serve } from './json-rpc.ts'

/** A service whose operations are paths, loaded with the first call to it. All that its inputs say is in their bodies. */
export interface LazyRestService {
  /** The operations by path. */
  readonly operations: ReadonlyMap<string, string>
  load(): Promise<JsonService>
}

/** Answers `POST` to the paths of these services: AWS's REST-JSON protocol. Throws `ClientGone` only. */
export function createRestJson(
  services: readonly LazyRestService[],
  setting: AwsSetting,
  bodies: LargeBodies,
): { readonly paths: ReadonlySet<string>; readonly handle: Handler } {
  const served = new Map(
    services.flatMap(({ operations, load }) => {
      const loaded = new Once(async () => serve(await load()))
      return [...operations].map(([path, operation]) => [path, { loaded, operation }] as const)
    }),
  )
  const locate: Locate = async (request) => {
    const found = served.get(pathOf(request.url))
    return found && { ...(await found.loaded.get()), operation: found.operation }
  }
  return {
    paths: new Set(served.keys()),
    handle: createJsonHandler(locate, 'application/json', setting, bodies),
  }
}
