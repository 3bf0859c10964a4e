import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect, headers } from 'nats'
import { afterEach, describe, expect, it } from 'vitest'
import type { CloudEvent } from '../../core/event.ts'
import { cleanUp, localServer, onCleanUp, until } from '../integration/support/nats.ts'
import { assets, Grabber, hasAssets, jsonLines } from './support/grabber.ts'

afterEach(cleanUp)

const root = fileURLToPath(new URL('../..', import.meta.url))
const example = (name: string) => join(root, 'docs/examples', name)
const programs: Record<string, [string, string]> = {
  'subscriber.ts': [process.execPath, example('subscriber.ts')],
  'subscriber.py': ['python3', example('subscriber.py')],
}

class Subscriber {
  readonly #child: ChildProcess
  #out = ''

  constructor([program, file]: [string, string], url: string, name: string) {
    this.#child = spawn(program, [file, url, name], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child.stdout!.on('data', (chunk: Buffer) => {
      this.#out += chunk.toString()
    })
    onCleanUp(() => this.#child.kill('SIGKILL'))
  }

  get events(): CloudEvent[] {
    return jsonLines<CloudEvent>(this.#out.slice(0, this.#out.lastIndexOf('\n') + 1))
  }

  get ids(): string[] {
    return this.events.map(({ id }) => id)
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}

/** A grabber that publishes to `url`; `replay` answers with the events that it wrote to its log. */
function publisher(url: string) {
  const grabber = new Grabber({ models: true })
  onCleanUp(() => grabber[Symbol.dispose]())
  const config = grabber.path('grabber.yaml')
  writeFileSync(config, `nats: { url: "${url}" }\n`)
  return async (clip: string) => {
    const log = grabber.path(`${clip}.jsonl`)
    const recording = join(assets, 'videos/asl', `${clip}.mkv`)
    const ended = await grabber.run('-c', config, 'replay', recording, '--publish', '--events', log)
    expect(ended).toMatchObject({ status: 0 })
    return jsonLines<CloudEvent>(readFileSync(log, 'utf8'))
  }
}

describe.skipIf(!hasAssets).each(Object.entries(programs))('docs/examples/%s', (_, program) => {
  it('sees every event of a replay once, as in the log, and after a pause what came meanwhile', async () => {
    const server = await localServer()
    const replay = publisher(server.url)
    const first = await replay('yes')
    expect(first.length).toBeGreaterThan(2)

    const before = new Subscriber(program, server.url, 'test-program')
    await until('the first events are read', () => before.ids.length >= first.length)
    // The same event once more, as after a lost acknowledgement.
    const plain = await connect({ servers: server.url })
    onCleanUp(() => plain.close())
    const copy = headers()
    copy.set('ce-id', first[0]!.id)
    copy.set('ce-type', first[0]!.type)
    await plain
      .jetstream()
      .publish('grabber.edge-1.events.yes.motion', JSON.stringify(first[0]!.data), { headers: copy })
    const marker = headers()
    marker.set('ce-id', 'f'.repeat(32))
    await plain.jetstream().publish('grabber.edge-1.events.yes.motion', '{}', { headers: marker })
    await until('what follows is read', () => before.ids.includes('f'.repeat(32)))
    expect(before.ids).toEqual([...first.map(({ id }) => id), 'f'.repeat(32)])
    expect(before.events.slice(0, first.length)).toEqual(
      first.map((event) => expect.objectContaining(essential(event))),
    )
    const manager = await plain.jetstreamManager()
    await until('all is acknowledged', async () => {
      const { num_ack_pending, num_pending } = await manager.consumers.info('GRABBER_EVENTS', 'test-program')
      return num_ack_pending === 0 && num_pending === 0
    })
    await before.kill()

    const second = await replay('again')
    const after = new Subscriber(program, server.url, 'test-program')
    await until('the second events are read', () => after.ids.length >= second.length)
    expect(after.ids).toEqual(second.map(({ id }) => id))
  })
})

function essential({ id, source, type, subject, time, dataschema, data }: CloudEvent) {
  return { id, source, type, subject, time, dataschema, data }
}
