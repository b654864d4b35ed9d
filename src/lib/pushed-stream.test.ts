import { expect, test } from 'bun:test'
import { PushedStream } from './pushed-stream.ts'

const piece = (text: string) => new TextEncoder().encode(text)

async function all(stream: PushedStream): Promise<string> {
  let text = ''
  for await (const one of stream.bytes()) text += new TextDecoder().decode(one)
  return text
}

test('everything that is written is read, in order', async () => {
  const stream = new PushedStream()
  const reading = all(stream)
  for (const text of ['one ', '', 'two ', 'three']) await stream.write(piece(text))
  stream.end()
  expect(await reading).toBe('one two three')
})

test('a writer waits for the reader, and no longer than there is one', async () => {
  const stream = new PushedStream()
  let isTaken = false
  const writing = stream.write(piece('one')).then(() => {
    isTaken = true
  })
  const reader = stream.bytes()
  expect((await reader.next()).value).toEqual(piece('one'))
  expect(isTaken).toBe(false)
  const next = reader.next()
  await writing
  const last = stream.write(piece('two'))
  expect((await next).value).toEqual(piece('two'))
  await reader.return()
  await expect(last).rejects.toThrow('Nobody reads')
  await expect(stream.write(piece('three'))).rejects.toThrow('Nobody reads')
})

test('the failure of the writer is the failure of the reader', async () => {
  const stream = new PushedStream()
  const reading = all(stream)
  await stream.write(piece('one'))
  stream.end({ error: new Error('lost') })
  await expect(reading).rejects.toThrow('lost')
})

test('who leaves before reading is told to the writer', async () => {
  const stream = new PushedStream()
  const writing = stream.write(piece('one'))
  stream.leave()
  await expect(writing).rejects.toThrow('Nobody reads')
})
