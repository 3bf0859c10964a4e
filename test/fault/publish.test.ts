import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { CloudEvent } from '../../core/event.ts'
import type { RunInfo } from '../../src/store/run-file.ts'
import { assets, Grabber, jsonLines } from '../e2e/support/grabber.ts'
import { cleanUp, localServer, onCleanUp, storedIds, until } from '../integration/support/nats.ts'

afterEach(cleanUp)

/** 26 passes of 2.6 s: more than a minute of media. */
const PASSES = '26'
const clip = join(assets, 'videos/asl/again.mkv')

function serverPid({ data }: Grabber): number | undefined {
  const path = join(data, 'run.json')
  if (!existsSync(path)) return undefined
  const { children } = JSON.parse(readFileSync(path, 'utf8')) as RunInfo
  return children.find(({ name }) => name === 'nats-server')?.pid
}

it('a replay that publishes loses nothing when nats-server is killed, and publishes nothing twice', async () => {
  const grabber = new Grabber({ models: true })
  onCleanUp(() => grabber[Symbol.dispose]())
  const events = grabber.path('events.jsonl')
  const replay = ['replay', clip, '--loop', PASSES, '--publish', '--events', events]

  const running = grabber.start(...replay)
  for (let kills = 0, last: number | undefined; kills < 3; kills++) {
    const seen = kills * 12
    await until(
      `${seen} events are written`,
      () => existsSync(`${events}.part`) && lines(`${events}.part`) > seen,
      60_000,
    )
    await until('nats-server runs', () => ![undefined, last].includes(serverPid(grabber)))
    last = serverPid(grabber)!
    process.kill(last, 'SIGKILL')
  }
  const first = await running.ended
  expect(first).toMatchObject({ status: 0 })
  const ids = jsonLines<CloudEvent>(readFileSync(events, 'utf8')).map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)

  const server = await localServer(grabber.data)
  expect(await storedIds(server.url)).toEqual(ids)
  await server.stop()

  // The same recording again, after the server has forgotten nothing but we have: our own store knows the ids.
  expect((await grabber.run(...replay)).status).toBe(0)
  const afterwards = await localServer(grabber.data)
  expect(await storedIds(afterwards.url)).toEqual(ids)
})

const lines = (path: string) => readFileSync(path, 'utf8').split('\n').length - 1
