import { expect, test } from 'bun:test'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger, type Logger, type LoggerOptions } from './logger.ts'

/** What a logger writes when `say` is done with it. */
function written(options: Omit<LoggerOptions, 'descriptor'>, say: (logger: Logger) => void): string {
  const directory = mkdtempSync(join(tmpdir(), 'ecru-log-'))
  const file = join(directory, 'log')
  const descriptor = openSync(file, 'w')
  try {
    const logger = createLogger({ ...options, descriptor })
    say(logger)
    logger.flush()
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(descriptor)
    rmSync(directory, { recursive: true })
  }
}

test('a line is one JSON object with its level in words and a time', () => {
  const line = written({ level: 'info', format: 'json' }, (logger) => logger.info({ status: 200 }, 'request'))
  expect(line).toEndWith('}\n')
  expect(JSON.parse(line)).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    status: 200,
    msg: 'request',
  })
})

test('lines below the level are not written', () => {
  const text = written({ level: 'warn', format: 'json' }, (logger) => {
    logger.info({}, 'quiet')
    logger.warn({}, 'loud')
    expect([logger.isEnabled('info'), logger.isEnabled('warn')]).toEqual([false, true])
  })
  expect(text).not.toContain('quiet')
  expect(text).toContain('loud')
})

test('an error brings its cause, and nothing else that hangs on it', () => {
  const error = Object.assign(new Error('no answer', { cause: new Error('refused') }), {
    code: 'E',
    headers: { authorization: 'hush' },
  })
  const text = written({ level: 'info', format: 'json' }, (logger) => logger.error({ error }, 'failed'))
  expect(JSON.parse(text)).toMatchObject({
    error: { name: 'Error', message: 'no answer', code: 'E', cause: { message: 'refused' } },
  })
  expect(text).not.toContain('hush')
})

test('for people a line is short', () => {
  const text = written({ level: 'info', format: 'pretty' }, (logger) => logger.info({ url: 'http://a' }, 'ready'))
  expect(text).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}ready url=http:\/\/a\n$/)
})
