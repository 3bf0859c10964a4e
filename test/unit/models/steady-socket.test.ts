/** Real connections: what is read goes through one buffer, and nothing is lost or mixed up. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { steadySocket } from '../../../models/steady-socket.ts'

let folder: string
const closing: (() => void)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'steady-'))
})

afterEach(() => {
  for (const close of closing.splice(0)) close()
  rmSync(folder, { recursive: true, force: true })
})

async function listen(accept: (socket: Socket) => void): Promise<string> {
  const path = join(folder, 's')
  const server = createServer({ pauseOnConnect: true }, accept)
  closing.push(() => server.close())
  await new Promise<void>((listening) => server.listen(path, listening))
  return path
}

function connect(path: string): Socket {
  const socket = createConnection(path)
  closing.push(() => socket.destroy())
  return socket
}

const until = (condition: () => boolean) => expect.poll(condition, { timeout: 12_000, interval: 1 }).toBe(true)

test('two connections at once, each with its own bytes, in memory that is one', async () => {
  const got = new Map<number, number[]>()
  const memory = new Set<ArrayBufferLike>()
  let count = 0
  const path = await listen((accepted) => {
    const bytes: number[] = []
    got.set(++count, bytes)
    closing.push(() => socket.destroy())
    const socket = steadySocket(accepted, (chunk) => {
      memory.add(chunk.buffer)
      for (const byte of chunk) bytes.push(byte)
    })
  })
  const size = 300_000
  const clients = [connect(path), connect(path)]
  for (const [index, client] of clients.entries()) client.write(Buffer.alloc(size, index + 1))
  await until(() => [...got.values()].reduce((sum, { length }) => sum + length, 0) === 2 * size)
  expect([...got.values()].map((bytes) => [bytes.length, new Set(bytes).size])).toEqual([
    [size, 1],
    [size, 1],
  ])
  expect(memory.size).toBe(1)
})

test('answers, and sees the end of the connection', async () => {
  let closed = false
  const path = await listen((accepted) => {
    const socket = steadySocket(accepted, (chunk) => socket.write(Buffer.from(chunk)))
    socket.on('close', () => {
      closed = true
    })
  })
  const client = connect(path)
  let echo = ''
  client.on('data', (chunk) => {
    echo += chunk
  })
  client.write('hello')
  await until(() => echo === 'hello')
  client.destroy()
  await until(() => closed)
})

test('a socket without a handle to move is read as it is', async () => {
  let text = ''
  const path = await listen((accepted) => {
    Object.defineProperty(accepted, '_handle', { value: undefined, writable: true, configurable: true })
    closing.push(() => accepted.destroy())
    expect(steadySocket(accepted, (chunk) => (text += chunk))).toBe(accepted)
    accepted.push('as it is')
  })
  connect(path)
  await until(() => text === 'as it is')
})
