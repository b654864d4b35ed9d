import { pageInvalid } from '../../domain/errors.ts'
import { isTag, parseTag, type Tag } from '../../domain/names.ts'
import { queryOf, type RepositoryCall, repositoryUrl } from './call.ts'
import { nextLink, PAGE_SIZE_MAX, parsePageSize } from './page-size.ts'
import { answerJson } from './responses.ts'

const ECR_PAGE_SIZE = 100

/** Which page of a tag list is asked for. */
interface TagPage {
  readonly after: Tag | undefined
  readonly size: number
}

/**
 * `GET tags/list`: in lexical order, `last` being the tag behind which the page begins (OCI distribution, "Listing tags").
 * ECR differs: 100 to a page, `last` an opaque token that carries the page size along, and a content type of plain text.
 */
export async function listTags(call: RepositoryCall): Promise<Response> {
  const { request, context, services, principal, ref, wireName } = call
  const isEcr = services.settings.fidelity === 'aws'
  const { after, size } = isEcr ? ecrPage(queryOf(request)) : ociPage(queryOf(request))
  const { tags, hasMore } = await services.imageLists.listTags(principal, ref, after, size)
  const last = tags.at(-1)
  const url = repositoryUrl(call, 'tags/list')
  const link =
    last === undefined || !hasMore
      ? undefined
      : nextLink(url, isEcr ? { last: pageToken(size, last) } : { n: String(size), last })
  const contentType = isEcr ? 'text/plain; charset=utf-8' : 'application/json'
  return answerJson(context, 200, { name: wireName, tags }, { 'Content-Type': contentType, Link: link })
}

function ociPage(query: URLSearchParams): TagPage {
  const last = query.get('last')
  const after = last === null || last === '' ? undefined : parseTag(last)
  return { after, size: parsePageSize(query.get('n'), false) ?? PAGE_SIZE_MAX }
}

function ecrPage(query: URLSearchParams): TagPage {
  const size = parsePageSize(query.get('n'), true)
  const last = query.get('last')
  if (last === null || last === '') return { after: undefined, size: size ?? ECR_PAGE_SIZE }
  const carried = readPageToken(last)
  return { after: carried.after, size: size ?? carried.size }
}

function pageToken(size: number, after: Tag): string {
  return Buffer.from(`1:${size}:${after}`).toString('base64url')
}

/** Throws `page-invalid` for a token that Ecru never made. */
function readPageToken(token: string): TagPage {
  const match = /^1:([0-9]{1,4}):(.+)$/.exec(Buffer.from(token, 'base64url').toString('utf8'))
  const [, size = '', after = ''] = match ?? []
  if (!isTag(after) || Number(size) < 1 || Number(size) > PAGE_SIZE_MAX)
    throw pageInvalid('nextToken', 'Invalid pagination token')
  return { after, size: Number(size) }
}
