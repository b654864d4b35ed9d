import { parseRepositoryName } from '../../domain/names.ts'
import { type OciCall, originOf, queryOf } from './call.ts'
import { nextLink, PAGE_SIZE_MAX, parsePageSize } from './page-size.ts'
import { answerJson } from './responses.ts'

/** `GET /v2/_catalog`: the registry's repositories by name, in pages; `last` is the name behind which one begins. */
export async function listRepositories(call: OciCall): Promise<Response> {
  const { request, context, services, principal, registry } = call
  const query = queryOf(request)
  const last = query.get('last')
  const after = last === null || last === '' ? undefined : parseRepositoryName(last)
  const size = parsePageSize(query.get('n'), services.settings.fidelity === 'aws') ?? PAGE_SIZE_MAX
  const { names, hasMore } = await services.repositories.listNames(principal, registry, after, size)
  const end = names.at(-1)
  const link =
    end === undefined || !hasMore
      ? undefined
      : nextLink(`${originOf(request)}/v2/_catalog`, { n: String(size), last: end })
  return answerJson(context, 200, { repositories: names }, { Link: link })
}
