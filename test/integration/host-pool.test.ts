/** Hosts that serve one work after the other: they are handed on when they rest, and only then. */
import { describe, expect, it } from 'vitest'
import { HostPool } from '../../actors/host-pool.ts'
import { systemClock } from '../../core/clock.ts'
import type { FromSession, ToSession } from '../../core/wire/control.ts'
import { isAlive } from '../e2e/support/processes.ts'
import { until } from './support/engine.ts'
import { silentLogger } from './support/nats.ts'

const entry = new URL('../fixtures/hosts/pooled-host.ts', import.meta.url)
const host = {
  ...{ sessionEntry: entry, engineEntry: entry, clock: systemClock, logger: silentLogger },
  ...{ helloMs: 20_000, silenceMs: 20_000, stopMs: 5000, killMs: 1000 },
}

async function begin(pool: HostPool, path: string, options: { silenceMs?: number; signal?: AbortSignal } = {}) {
  const lease = await pool.spawn<ToSession, FromSession>({ ...host, entry, name: 'work', ...options })
  const said: FromSession[] = []
  lease.onMessage((message) => said.push(message))
  lease.send({ type: 'probe', incarnation: 1, path, openTimeoutMs: 1 })
  return { lease, said }
}

/** A work from its start to its end: process and how it ended. */
async function work(pool: HostPool, path: string) {
  const { lease, said } = await begin(pool, path)
  const exit = await lease.exited
  expect(said.map(({ type }) => type)).toEqual(['probing'])
  return { pid: lease.pid, ...exit }
}

describe('a pool of hosts', () => {
  it('hands on a host that rests; one that left, died or had its share is replaced', async () => {
    await using pool = new HostPool({ host, mostWorks: 3 })
    const first = await work(pool, 'rest')
    expect(first).toMatchObject({ code: 0, signal: null, silent: false })
    expect((await work(pool, 'rest')).pid).toBe(first.pid)
    const third = await work(pool, 'rest')
    expect(third.pid).toBe(first.pid)
    const second = await work(pool, 'leave')
    expect(second).toMatchObject({ code: 0, signal: null })
    const died = await work(pool, 'die')
    expect(died).toMatchObject({ signal: 'SIGKILL' })
    expect(new Set([first.pid, second.pid, died.pid]).size).toBe(3)
    await until('their ends', () => pool.size === 0)
  })

  it('has a host for each work at a time, and ends those that rest with itself', async () => {
    const pool = new HostPool({ host })
    const [a, b] = await Promise.all([work(pool, 'rest'), work(pool, 'rest')])
    expect(a.pid).not.toBe(b.pid)
    expect(pool.size).toBe(2)
    await pool[Symbol.asyncDispose]()
    await until('their ends', () => !isAlive(a.pid) && !isAlive(b.pid))
  })

  it('takes a stop for one work: what is sent after it reaches nobody else', async () => {
    await using pool = new HostPool({ host })
    const { lease } = await begin(pool, 'slow')
    await lease.stop({ type: 'stop', incarnation: 1 })
    expect(lease.send({ type: 'stop', incarnation: 1 })).toBe(false)
    lease.kill('SIGKILL')
    expect((await work(pool, 'rest')).pid).toBe(lease.pid)
  })

  it('kills a host that is silent in its work or that nobody wants any more, and none that rests', async () => {
    await using pool = new HostPool({ host })
    const silent = await begin(pool, 'hang', { silenceMs: 100 })
    expect(await silent.lease.exited).toMatchObject({ signal: 'SIGKILL', silent: true })
    const wanted = new AbortController()
    const { lease } = await begin(pool, 'hang', { signal: wanted.signal })
    wanted.abort()
    expect(await lease.exited).toMatchObject({ signal: 'SIGKILL', silent: false })
    const other = new AbortController()
    const rested = await begin(pool, 'rest', { signal: other.signal })
    await rested.lease.exited
    other.abort()
    expect((await work(pool, 'rest')).pid).toBe(rested.lease.pid)
  })
})
