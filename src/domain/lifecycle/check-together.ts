import type { LifecycleRule, LifecycleStorageClass } from './rule.ts'
import { PolicyMistake } from './schema.ts'

/** Checks what the rules of a policy owe each other; each storage class by itself. Throws `PolicyMistake`. */
export function checkTogether(rules: readonly LifecycleRule[]): void {
  const priorities = new Set<number>()
  for (const { priority } of rules) {
    if (priorities.has(priority))
      throw new PolicyMistake(`Duplicate rulePriority found: ${priority}. It must be unique.`)
    priorities.add(priority)
  }
  const byClass = Map.groupBy(rules, ({ storageClass }) => storageClass)
  for (const [storageClass, peers] of byClass) checkPeers(storageClass, peers)
}

function checkPeers(storageClass: LifecycleStorageClass, rules: readonly LifecycleRule[]): void {
  const last = Math.max(...rules.map(({ priority }) => priority))
  if (rules.some(({ tags, priority }) => tags.tagStatus === 'any' && priority !== last))
    throw new PolicyMistake('Rule for tagStatus=ANY must have the lowest priority per storage class')
  if (rules.filter(({ tags }) => tags.tagStatus === 'untagged').length > 1)
    throw new PolicyMistake('Only one rule can select Untagged images per storage class')
  const lists = new Set<string>()
  for (const { tags } of rules) {
    if (tags.tagStatus !== 'tagged') continue
    const list = JSON.stringify([tags.list, ...[...new Set(tags.entries)].sort()])
    if (lists.has(list)) {
      const member = tags.list === 'prefix' ? 'tagPrefixList' : 'tagPatternList'
      throw new PolicyMistake(`${member} must be unique among the rules of storageClass=${storageClass.toUpperCase()}.`)
    }
    lists.add(list)
  }
}
