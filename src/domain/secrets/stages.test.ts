import { expect, test } from 'bun:test'
import { movedStages } from './stages.ts'

const version = (versionId: string, ...stages: string[]) => ({ versionId, stages })

test('a new current version makes the former one the previous, and the one before that nothing', () => {
  const versions = [version('a', 'AWSPREVIOUS'), version('b', 'AWSCURRENT', 'mine'), version('c')]
  expect(movedStages(versions, 'c', ['AWSCURRENT'])).toEqual([
    version('a'),
    version('b', 'mine', 'AWSPREVIOUS'),
    version('c', 'AWSCURRENT'),
  ])
})

test('a label moves to the version that is given it, and the current one stays', () => {
  const versions = [version('a', 'AWSCURRENT', 'AWSPENDING'), version('b')]
  expect(movedStages(versions, 'b', ['AWSPENDING'])).toEqual([version('a', 'AWSCURRENT'), version('b', 'AWSPENDING')])
})

test('the first version is current without any before it', () => {
  expect(movedStages([version('a')], 'a', ['AWSCURRENT'])).toEqual([version('a', 'AWSCURRENT')])
  expect(movedStages([version('a', 'AWSCURRENT')], 'a', ['AWSCURRENT'])).toEqual([version('a', 'AWSCURRENT')])
})
