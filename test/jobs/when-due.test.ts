import { expect, test } from 'bun:test'
import { JobRunner } from '../../src/jobs/runner.ts'
import { WhenDue } from '../../src/jobs/when-due.ts'
import { silentLogger } from '../../src/lib/logger.ts'

/** A job that is due as often as it was asked for, and runs until it is let go. */
function waitingJob() {
  const facts = { due: 0, runs: 0 }
  let begun = Promise.withResolvers<void>()
  let end = Promise.withResolvers<void>()
  const job = {
    name: 'waiting',
    run: async () => {
      facts.due--
      begun.resolve()
      await end.promise
      facts.runs++
    },
    summary: () => ({}),
  }
  return {
    facts,
    job,
    begun: () => begun.promise,
    letGo: () => {
      const { resolve } = end
      begun = Promise.withResolvers()
      end = Promise.withResolvers()
      resolve()
    },
  }
}

test('a job runs when it is due, also for what is asked while it runs', async () => {
  const { facts, job, begun, letGo } = waitingJob()
  const runner = new JobRunner<void>(job, silentLogger)
  const whenDue = new WhenDue(
    runner,
    async () => facts.due > 0,
    () => undefined,
  )
  whenDue.look()
  expect(facts.runs).toBe(0)
  facts.due = 1
  whenDue.start()
  await begun()
  facts.due = 1
  whenDue.look()
  letGo()
  await begun()
  expect(facts).toEqual({ due: 0, runs: 1 })
  const closing = whenDue.close()
  letGo()
  await closing
  expect(facts.runs).toBe(2)
  facts.due = 1
  whenDue.look()
  await runner.close()
  expect(facts.runs).toBe(2)
})

test('who cannot look says so, and looks again', async () => {
  const said: unknown[] = []
  const { facts, job, begun, letGo } = waitingJob()
  const runner = new JobRunner<void>(job, silentLogger)
  const failures = [new Error('no look')]
  const isDue = async () => {
    const failure = failures.pop()
    if (failure !== undefined) throw failure
    return facts.due > 0
  }
  const whenDue = new WhenDue(runner, isDue, (error) => said.push(error))
  facts.due = 1
  whenDue.start()
  whenDue.look()
  await begun()
  letGo()
  await whenDue.close()
  await runner.close()
  expect(said).toEqual([new Error('no look')])
  expect(facts.runs).toBe(1)
})
