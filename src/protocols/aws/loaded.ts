import type { JsonService, LazyJsonService } from './json-rpc.ts'
import type { LazyQueryService, QueryService } from './query.ts'

/** A service that is there already, where one that is loaded later would do too. */
export function loadedJson(service: JsonService): LazyJsonService {
  return { targetPrefix: service.model.metadata.targetPrefix ?? '', load: async () => service }
}

/** The same for the Query protocol. */
export function loadedQuery(service: QueryService): LazyQueryService {
  return { apiVersion: service.model.metadata.apiVersion, load: async () => service }
}
