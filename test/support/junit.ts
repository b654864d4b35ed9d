import { XMLParser } from 'fast-xml-parser'

/** One test as a JUnit report tells it. */
export interface ReportedTest {
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** Why it failed or was skipped, as far as the report says. */
  readonly reason: string
}

type Node = Readonly<Record<string, unknown>>

/** Reads the test cases of a JUnit report, whoever wrote it: outcomes as child elements or as a `status`. */
export function readJunit(xml: string): readonly ReportedTest[] {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    htmlEntities: true,
    isArray: (name) => name === 'testcase' || name === 'testsuite',
  })
  return suitesOf(parser.parse(xml) as Node)
}

function suitesOf(node: Node, path: readonly string[] = []): readonly ReportedTest[] {
  const tests = list(node.testcase).map((test) => reported(test, path))
  const below = list(node.testsuite).flatMap((suite) => suitesOf(suite, [...path, text(suite['@name'])]))
  const root = node.testsuites === undefined ? [] : suitesOf(node.testsuites as Node, path)
  return [...tests, ...below, ...root]
}

function reported(test: Node, path: readonly string[]): ReportedTest {
  const failure = test.failure ?? test.error
  const status = text(test['@status'])
  const said = text(test['system-out'])
  const name = [...path, text(test['@name'])].join(' > ')
  if (failure !== undefined || status === 'failure' || status === 'error') {
    return { name, outcome: 'failed', reason: describe(failure) || said }
  }
  if (test.skipped !== undefined || status === 'skipped' || status === 'disabled') {
    return { name, outcome: 'skipped', reason: describe(test.skipped) || said }
  }
  return { name, outcome: 'passed', reason: '' }
}

function describe(element: unknown): string {
  if (typeof element !== 'object' || element === null) return text(element)
  const { '@message': message, '#text': body } = element as Node
  return text(message ?? body)
}

function list(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value : []
}

function text(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}

/** A report of these tests, for a step that has no reporter of its own. */
export function writeJunit(suite: string, tests: readonly ReportedTest[]): string {
  const cases = tests.map(({ name, outcome, reason }) => {
    const inner =
      outcome === 'passed' ? '' : `<${outcome === 'failed' ? 'failure' : 'skipped'} message="${escapeXml(reason)}"/>`
    return `<testcase name="${escapeXml(name)}">${inner}</testcase>\n`
  })
  return `<testsuites><testsuite name="${escapeXml(suite)}">\n${cases.join('')}</testsuite></testsuites>\n`
}

function escapeXml(value: string): string {
  return value.replace(/[<>&"\n\r\t]/g, (character) => `&#${character.charCodeAt(0)};`)
}
