import type { Policy } from './policy.ts'

/** By these the owner of a repository replaces a policy that cannot be read. */
export const UNREADABLE_KEPT_ACTIONS: ReadonlySet<string> = new Set([
  'ecr:deleterepositorypolicy',
  'ecr:setrepositorypolicy',
  'ecr-public:deleterepositorypolicy',
  'ecr-public:setrepositorypolicy',
])

/** What stands in for a policy that cannot be read: nobody may do anything, but what others allow among `kept`. */
export function denyAll(kept: ReadonlySet<string> = new Set()): Policy {
  return {
    statements: [
      {
        sid: 'UnreadablePolicy',
        index: 0,
        effect: 'Deny',
        principals: undefined,
        isAbout: (action) => !kept.has(action),
        conditions: [],
        source: { Sid: 'UnreadablePolicy', Effect: 'Deny' },
      },
    ],
    contextKeys: [],
    readsResourceTags: false,
    readsImages: false,
  }
}
