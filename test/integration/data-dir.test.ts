import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { DataDir, findOwner } from '../../src/store/data-dir.ts'
import { identify, lives } from '../../src/store/process-identity.ts'
import { type RunChild, readRunFile, writeRunFile } from '../../src/store/run-file.ts'
import {
  cleanUp,
  localServer,
  onCleanUp,
  recordingLogger,
  silentLogger,
  temporaryFolder,
  until,
} from './support/nats.ts'

afterEach(cleanUp)

async function acquire(path: string, logger = silentLogger): Promise<DataDir> {
  const dataDir = await DataDir.acquire(path, { logger, clock: systemClock })
  onCleanUp(() => dataDir.release())
  return dataDir
}

/** A process that takes the lock when asked to. */
async function racer(path: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'support/lock-racer.ts'), path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onCleanUp(() => child.kill('SIGKILL'))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  await lines.next()
  return {
    child,
    async go(): Promise<string> {
      child.stdin.write('go\n')
      return (await lines.next()).value as string
    },
  }
}

/** What a killed daemon leaves behind. */
function staleRunFile(path: string, children: RunChild[]): void {
  mkdirSync(path, { recursive: true })
  writeRunFile(path, {
    pid: 2 ** 22 - 1,
    startTime: '1@gone',
    children,
    natsUrl: null,
    httpUrl: null,
    controlSocket: null,
  })
}

async function idleProcess(code = 'setInterval(() => {}, 1e6)'): Promise<ChildProcess & { pid: number }> {
  const child = spawn(process.execPath, ['-e', `${code}; process.stdout.write("up")`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  onCleanUp(() => child.kill('SIGKILL'))
  await once(child.stdout!, 'data')
  return child as ChildProcess & { pid: number }
}

describe('the data folder', () => {
  // Where mkdir's own recursion tries for ever, deaf to signals.
  it.runIf(existsSync('/proc/self'))('says at once that a folder cannot be made', async () => {
    await expect(acquire('/proc/grabber/data')).rejects.toMatchObject({ code: 'STO_UNUSABLE' })
  })

  it('makes the folders above it as well', async () => {
    const path = join(temporaryFolder(), 'a', 'b')
    await acquire(path)
    expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  it('is made for its owner alone, with run.json while it is owned', async () => {
    const path = join(temporaryFolder(), 'a/data')
    const dataDir = await acquire(path)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(statSync(join(path, 'run.json')).mode & 0o777).toBe(0o600)
    expect(readRunFile(path)).toEqual({
      ...identify(process.pid),
      children: [],
      natsUrl: null,
      httpUrl: null,
      controlSocket: null,
    })
    const child = await idleProcess()
    dataDir.addChild('nats', child.pid)
    dataDir.addChild('engine', child.pid)
    dataDir.announce({ httpUrl: 'http://127.0.0.1:8080' })
    dataDir.removeChild('engine')
    expect(findOwner(path)).toMatchObject({
      pid: process.pid,
      httpUrl: 'http://127.0.0.1:8080',
      children: [{ name: 'nats', ...identify(child.pid) }],
    })
    dataDir.release()
    dataDir.release()
    expect(findOwner(path)).toBeUndefined()
    expect(existsSync(join(path, 'run.json'))).toBe(false)
  })

  it('has one owner', async () => {
    const path = temporaryFolder()
    const dataDir = await acquire(path)
    const refusal = { code: 'STO_LOCKED', message: expect.stringContaining(`process ${process.pid}`) }
    await expect(acquire(path)).rejects.toMatchObject(refusal)
    const other = await racer(path)
    expect(await other.go()).toBe('STO_LOCKED')
    expect(findOwner(path)?.pid).toBe(process.pid)
    dataDir.release()
    expect(await (await racer(path)).go()).toBe('owner')
  })

  it('goes to exactly one of several that start at once, also over a dead owner', async () => {
    const path = temporaryFolder()
    for (let round = 0; round < 4; round++) {
      const racers = await Promise.all([racer(path), racer(path), racer(path)])
      const outcomes = await Promise.all(racers.map((one) => one.go()))
      expect(outcomes.toSorted()).toEqual(['STO_LOCKED', 'STO_LOCKED', 'owner'])
      const owner = racers[outcomes.indexOf('owner')]!
      expect(findOwner(path)?.pid).toBe(owner.child.pid)
      // kill -9: the lock must go with the process, and run.json stays behind.
      for (const { child } of racers) child.kill('SIGKILL')
      await Promise.all(racers.map(({ child }) => child.exitCode ?? child.signalCode ?? once(child, 'exit')))
      expect(readRunFile(path)?.pid).toBe(owner.child.pid)
      expect(findOwner(path)).toBeUndefined()
    }
  })

  it('ends a real nats-server that a killed daemon left, and nothing else', async () => {
    const path = temporaryFolder()
    const server = await localServer(path)
    const left = identify(server.pid)!
    const bystander = await idleProcess()
    const reused = { name: 'engine', pid: bystander.pid, startTime: '17@another-boot' }
    staleRunFile(path, [{ name: 'nats', ...left }, reused, { name: 'gone', pid: 2 ** 22 - 2, startTime: '1@gone' }])
    const logger = recordingLogger()
    await acquire(path, logger)
    expect(lives(left)).toBe(false)
    expect(lives(identify(bystander.pid)!)).toBe(true)
    expect(logger.lines.map(({ fields }) => fields)).toEqual([{ child: 'nats', childPid: left.pid }])
    expect(readRunFile(path)?.children).toEqual([])
  })

  it('kills a left-over that ignores SIGTERM', async () => {
    const path = temporaryFolder()
    const stubborn = await idleProcess('process.on("SIGTERM", () => {}); setInterval(() => {}, 1e6)')
    staleRunFile(path, [{ name: 'engine', ...identify(stubborn.pid)! }])
    await acquire(path)
    expect(identify(stubborn.pid)).toBeUndefined()
    await until('its parent knows', () => stubborn.signalCode === 'SIGKILL')
  })

  it('removes sockets that were left, and only sockets', async () => {
    const path = temporaryFolder()
    const first = await acquire(path)
    const socket = first.socketPath('engine-1')
    first.release()
    // Killed, so that nobody removes its socket.
    const child = await idleProcess(`require('net').createServer().listen(${JSON.stringify(socket)})`)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(statSync(socket).isSocket()).toBe(true)
    writeFileSync(join(path, 'sockets/notes.txt'), 'kept')
    const second = await acquire(path)
    expect(existsSync(socket)).toBe(false)
    expect(readFileSync(join(path, 'sockets/notes.txt'), 'utf8')).toBe('kept')
    const server = createServer().listen(second.socketPath('engine-1'))
    await once(server, 'listening')
    server.close()
  })

  it('starts over a run.json that is damaged', async () => {
    const path = temporaryFolder()
    for (const text of ['', '{"pid":', '[]', '{"pid":-1}']) {
      writeFileSync(join(path, 'run.json'), text)
      const dataDir = await acquire(path)
      expect(readRunFile(path)?.pid).toBe(process.pid)
      dataDir.release()
    }
  })

  it('says what is wrong with a folder that cannot be used', async () => {
    const path = temporaryFolder()
    writeFileSync(join(path, 'file'), '')
    await expect(acquire(join(path, 'file/data'))).rejects.toMatchObject({ code: 'STO_UNUSABLE' })
    const deep = await acquire(join(path, 'd'.repeat(100)))
    expect(() => deep.socketPath('control')).toThrow(expect.objectContaining({ code: 'STO_UNUSABLE' }))
  })
})
