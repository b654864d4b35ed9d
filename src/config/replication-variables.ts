import { REPLICATED_DELETIONS } from '../domain/replication/deletions.ts'
import { duration, list, MINUTE_MS, oneOf, text, YEAR_MS } from './schema.ts'

/** The variables of copies in other registries, as a part of all. */
export const REPLICATION_VARIABLES = {
  ECRU_REPLICATION_SITES: {
    schema: text(),
    flag: '--replication-sites <file>',
    doc: 'A JSON file that maps regions to other installations, or to ECR, to which images are replicated ([replication.md](replication.md)).',
  },
  ECRU_REPLICATION_PATIENCE: {
    schema: duration(MINUTE_MS, YEAR_MS),
    default: '7d',
    flag: '--replication-patience <time>',
    doc: 'For how long a copy is tried again that could still succeed.',
  },
  ECRU_REPLICATION_TAGS: {
    schema: list(
      /^[A-Za-z0-9_.*-]{1,128}$/,
      'must be tags, with * for any run of characters, with commas between them',
    ),
    flag: '--replication-tags <list>',
    doc: 'Only images with such tags are replicated, and only with those tags; without it, all. What has no tag goes along.',
  },
  ECRU_REPLICATION_DELETES: {
    schema: oneOf(...REPLICATED_DELETIONS),
    default: 'off',
    flag: '--replication-deletes <which>',
    doc: 'Delete copies elsewhere, too, when images and tags are deleted here: `asked` those that somebody deletes, `all` also those that a lifecycle policy lets expire. Only what came by replication from here goes.',
  },
} as const
