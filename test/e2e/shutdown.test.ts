import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { cleanUp, onCleanUp, until } from '../integration/support/nats.ts'
import { startDaemon } from './support/daemon.ts'
import { assets, Grabber } from './support/grabber.ts'
import { childrenOf, descendants, isAlive, processesOf } from './support/processes.ts'

afterEach(cleanUp)

function playing() {
  const grabber = new Grabber()
  onCleanUp(() => grabber[Symbol.dispose]())
  const config = grabber.path('grabber.yaml')
  const source = `file:${join(assets, 'videos/asl/yes.mkv')}`
  writeFileSync(config, `http: { port: 0 }\ncameras:\n  a: { source: "${source}", loop: true }\n`)
  return { grabber, config }
}

it('a second signal ends it at once, where the first waits for a camera that hangs; its children end with it', async () => {
  const { grabber, config } = playing()
  const daemon = await startDaemon(grabber, config)
  const pid = daemon.running.child.pid!
  await until('the camera plays', async () => (await daemon.camera('a'))?.state === 'live')
  const [host] = childrenOf(pid, 'session-host')
  const children = descendants(pid)
  process.kill(host!, 'SIGSTOP')
  onCleanUp(() => {
    for (const child of children.filter(isAlive)) process.kill(child, 'SIGKILL')
  })

  daemon.running.child.kill('SIGTERM')
  await until('it is stopping', () => daemon.running.err().includes('"msg":"stopping"'))
  const stoppingMs = performance.now()
  // Signals within 500 ms of each other are one (src/cli/process-context).
  await until('another signal is a second one', () => performance.now() - stoppingMs > 600)
  expect(isAlive(pid)).toBe(true)
  daemon.running.child.kill('SIGTERM')
  expect(await daemon.running.ended).toMatchObject({ status: 130, signal: null })
  process.kill(host!, 'SIGCONT')
  await until('no child is left', () => children.every((child) => !isAlive(child)))
})

it.each(['SIGTERM', 'SIGINT'] as const)(
  '%s while it starts ends it in order: 0, and nothing is left',
  async (signal) => {
    const { grabber, config } = playing()
    const running = grabber.start('-c', config, 'run')
    const pid = running.child.pid!
    // The shell of bin/grabber has children of its own before there is a daemon.
    const runs = () => existsSync(join(grabber.data, 'run.json'))
    await until('it starts its members', () => runs() && descendants(pid).length > 0)
    running.child.kill(signal)
    const { status, err } = await running.ended
    expect(status).toBe(0)
    expect(err).toContain('"msg":"stopping"')
    expect(err).not.toContain('"msg":"ready"')
    expect(processesOf(grabber.data)).toEqual([])
    expect(existsSync(join(grabber.data, 'run.json'))).toBe(false)
  },
)
