import { expect, test } from 'bun:test'
import type { NewDeadLetter, NewEventRule } from '../../src/domain/eventbridge/rule.ts'
import { minute, OTHER_REGISTRY, REGISTRY, type StoreOf } from './metadata-store-records.ts'

export const eventRule = (name: string, more: Partial<NewEventRule> = {}): NewEventRule => ({
  registry: REGISTRY,
  name,
  pattern: '{"source":["aws.ecr"]}',
  state: 'ENABLED',
  tags: [],
  ...more,
})

export const deadLetter = (at: number): NewDeadLetter => ({
  registry: REGISTRY,
  ruleName: 'a',
  targetName: 't',
  targetArn: 'arn',
  position: at,
  attempts: 3,
  reason: 'no',
  at: minute(at),
  input: '{}',
})

export function eventRuleCases(store: StoreOf): void {
  const put = (rule: NewEventRule) => store().transact((tx) => tx.eventRules.put(rule))
  const names = async (prefix: string, after?: string) =>
    (await store().view.eventRules.list(REGISTRY, prefix, { after, limit: 2 })).map(({ name }) => name)

  test('a rule is put, replaced but for its tags, listed and deleted', async () => {
    const { view } = store()
    const rule = eventRule('a.b', { description: 'd', roleArn: 'r', tags: [{ key: 'k', value: 'v' }] })
    const { id } = await put(rule)
    expect(await view.eventRules.find(REGISTRY, 'a.b')).toEqual({ id, ...rule, description: 'd', roleArn: 'r' })
    expect(await view.eventRules.find(OTHER_REGISTRY, 'a.b')).toBeUndefined()
    expect(await put(eventRule('a.b', { pattern: 'p', state: 'DISABLED' }))).toMatchObject({
      id,
      pattern: 'p',
      state: 'DISABLED',
      description: undefined,
      tags: rule.tags,
    })
    await store().transact((tx) => tx.eventRules.setTags(id, []))
    expect((await view.eventRules.find(REGISTRY, 'a.b'))?.tags).toEqual([])
    for (const name of ['a-c', 'aZ', 'b']) await put(eventRule(name))
    await put(eventRule('a0', { registry: OTHER_REGISTRY }))
    expect(await view.eventRules.count(REGISTRY)).toBe(4)
    expect(await names('a')).toEqual(['a-c', 'a.b'])
    expect(await names('a', 'a.b')).toEqual(['aZ'])
    expect(await names('')).toEqual(['a-c', 'a.b'])
    await store().transact((tx) => tx.eventRules.delete(id))
    expect(await view.eventRules.find(REGISTRY, 'a.b')).toBeUndefined()
  })

  test('a target goes on from where it is, and stands still while its rule is disabled', async () => {
    const { view } = store()
    const { id: ruleId } = await put(eventRule('a'))
    await store().transact((tx) => tx.eventRules.putTarget(ruleId, 't', { arn: 'one' }, 5))
    const [placed] = await view.eventRules.listActive()
    expect(placed).toMatchObject({ rule: { name: 'a' }, target: { name: 't', position: 5, settings: { arn: 'one' } } })
    const id = placed?.target.id ?? 0
    const trouble = { position: 6, attempts: 1, since: minute(1), retryAt: minute(2), reason: 'no' }
    expect(await store().transact((tx) => tx.eventRules.noteTrouble(id, 4, trouble))).toBe(false)
    expect(await store().transact((tx) => tx.eventRules.noteTrouble(id, 5, trouble))).toBe(true)
    expect((await view.eventRules.findActive(id))?.target.trouble).toEqual(trouble)
    expect(await store().transact((tx) => tx.eventRules.advance(id, 4, 9))).toBe(false)
    expect(await store().transact((tx) => tx.eventRules.advance(id, 5, 9))).toBe(true)
    expect((await view.eventRules.findActive(id))?.target).toMatchObject({ position: 9, trouble: undefined })
    await store().transact((tx) => tx.eventRules.putTarget(ruleId, 't', { arn: 'two' }, 99))
    expect(await view.eventRules.listTargets(ruleId)).toMatchObject([{ position: 9, settings: { arn: 'two' } }])
    await store().transact((tx) => tx.eventRules.setState(ruleId, 'DISABLED', 50))
    expect(await view.eventRules.listActive()).toEqual([])
    expect(await view.eventRules.findActive(id)).toBeUndefined()
    await store().transact((tx) => tx.eventRules.setState(ruleId, 'ENABLED', 50))
    expect((await view.eventRules.findActive(id))?.target.position).toBe(50)
    await store().transact((tx) => tx.eventRules.rewind(id, 3))
    expect((await view.eventRules.findActive(id))?.target.position).toBe(3)
    expect(await store().transact((tx) => tx.eventRules.deleteTarget(ruleId, 't'))).toBe(true)
    expect(await store().transact((tx) => tx.eventRules.deleteTarget(ruleId, 't'))).toBe(false)
  })

  test('a rule takes its targets along', async () => {
    const { id } = await put(eventRule('a'))
    await store().transact((tx) => tx.eventRules.putTarget(id, 't', { arn: 'one' }, 5))
    await store().transact((tx) => tx.eventRules.delete(id))
    expect(await store().view.eventRules.listTargets(id)).toEqual([])
  })

  test('what was given up is kept, for a time', async () => {
    const { view } = store()
    const prune = (before: number, countMax: number) =>
      store().transact((tx) => tx.eventRules.pruneDeadLetters(minute(before), countMax, 10))
    expect(await prune(9, 0)).toBe(0)
    for (const at of [1, 2, 3, 4]) await store().transact((tx) => tx.eventRules.addDeadLetter(deadLetter(at)))
    const letters = await view.eventRules.listDeadLetters({ limit: 10 })
    expect(letters).toMatchObject([deadLetter(1), deadLetter(2), deadLetter(3), deadLetter(4)])
    expect(await view.eventRules.listDeadLetters({ after: letters[2]?.id, limit: 10 })).toHaveLength(1)
    expect(await prune(2, 100)).toBe(1)
    expect(await prune(0, 2)).toBe(1)
    expect(await store().transact((tx) => tx.eventRules.deleteDeadLetters(letters[2]?.id ?? 0))).toBe(1)
    expect(await view.eventRules.listDeadLetters({ limit: 10 })).toMatchObject([deadLetter(4)])
  })
}
