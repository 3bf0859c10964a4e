/** What is slow, full or deaf around a daemon: each bounded, visible, and over when its cause is. One daemon, two cameras. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type DaemonView, startDaemon } from '../e2e/support/daemon.ts'
import { assets, Grabber, hasAssets } from '../e2e/support/grabber.ts'
import { cleanUp, onCleanUp, until } from '../integration/support/nats.ts'

const DISK_BYTES = 12 * 1024 * 1024
const canMount = process.getuid?.() === 0 && mounts()

let grabber: Grabber
let daemon: DaemonView
let disk: string

beforeAll(async () => {
  grabber = new Grabber()
  mkdirSync(grabber.data, { mode: 0o700 })
  disk = grabber.data
  if (canMount) execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES},mode=700`, 'tmpfs', disk])
  symlinkSync(join(assets, 'models'), join(grabber.data, 'models'))
  const path = grabber.path('grabber.yaml')
  const camera = (clip: string, priority: number) =>
    `{ source: "file:${join(assets, 'videos/asl', clip)}", loop: true, priority: ${priority} }`
  const lines = [
    'http: { port: 0 }',
    'reconnect: { minMs: 200, maxMs: 1000, goodMs: 2000, crashes: 100 }',
    'defaults: { analysis: { fps: 10 } }',
    'load: { windowMs: 1000, calmMs: 1000, minShare: 0.25 }',
    `cameras:\n  low: ${camera('again.mkv', 0)}\n  high: ${camera('book.mkv', 9)}\n`,
  ]
  writeFileSync(path, lines.join('\n'))
  daemon = await startDaemon(grabber, path)
  await bothLive()
})
afterEach(cleanUp)
afterAll(async () => {
  await daemon?.stop()
  if (canMount) execFileSync('umount', ['-l', disk])
  grabber?.[Symbol.dispose]()
})

const states = async () => (await daemon.get<{ id: string; state: string }[]>('/api/v1/cameras')).map((c) => c.state)
const bothLive = () => until('both cameras are live', async () => (await states()).every((state) => state === 'live'))
const metric = async (name: string) => {
  const line = (await daemon.text('/metrics')).split('\n').find((text) => text.startsWith(`${name} `))
  return line === undefined ? 0 : Number(line.split(' ').at(-1))
}
const analysed = async (id: string) => (await daemon.camera(id))!.ledger.analysed
const drops = async (id: string) =>
  Object.values((await daemon.camera(id))!.ledger.dropped).reduce((sum, count) => sum + count, 0)
const share = async (id: string) =>
  (await daemon.get<{ id: string; share: number }[]>('/api/v1/cameras')).find((camera) => camera.id === id)!.share
const balances = async (id: string) => {
  const { ledger } = (await daemon.camera(id))!
  const skipped = Object.values(ledger.skipped as Record<string, number>).reduce((sum, count) => sum + count, 0)
  const dropped = Object.values(ledger.dropped).reduce((sum, count) => sum + count, 0)
  return ledger.captured - ledger.analysed - skipped - dropped - ledger.inFlight
}

describe.skipIf(!hasAssets)('around a daemon', () => {
  it('a subscriber that never reads costs the others nothing', async () => {
    const { hostname, port } = new URL(daemon.info.natsUrl!)
    const deaf: Socket = connect({ host: hostname, port: Number(port) })
    onCleanUp(() => void deaf.destroy())
    deaf.on('error', () => undefined)
    deaf.write('CONNECT {"verbose":false}\r\nSUB > 1\r\n')
    deaf.pause()
    const before = await analysed('high')
    await until('fifty more pictures were analysed', async () => (await analysed('high')) > before + 50)
    await until('nothing waits in the outbox', async () => (await metric('grabber_bus_outbox_depth')) === 0)
    expect(await states()).toEqual(['live', 'live'])
  })

  it('an engine ten times too slow: the newest win, drops are counted, and all is well when it is fast again', async () => {
    const engine = daemon.info.children.find(({ name }) => name.startsWith('engine'))!.pid
    const before = { high: await drops('high'), low: await drops('low') }
    // It runs a tenth of the time: stopped and continued twenty times a second.
    let stopped = false
    let turn = 0
    const slow = setInterval(() => {
      const run = turn++ % 10 === 0
      if (run === !stopped) return
      process.kill(engine, run ? 'SIGCONT' : 'SIGSTOP')
      stopped = !run
    }, 5)
    try {
      await until('pictures of both cameras are dropped', async () => {
        return (await drops('high')) > before.high + 5 && (await drops('low')) > before.low + 5
      })
      await until('the camera of low priority loses rate first, and the node says so', async () => {
        const [low, high] = [await share('low'), await share('high')]
        expect(high).toBeGreaterThanOrEqual(low)
        const { reasons } = await daemon.health()
        return low < 1 && reasons.some((reason) => reason.startsWith('load is degraded') && reason.includes('low'))
      })
    } finally {
      clearInterval(slow)
      process.kill(engine, 'SIGCONT')
    }
    await bothLive()
    await until(
      'both have their whole rate again',
      async () => (await share('low')) + (await share('high')) === 2,
      60_000,
    )
    const after = await drops('high')
    const seen = await analysed('high')
    await until('it keeps up again', async () => (await analysed('high')) > seen + 30)
    expect((await drops('high')) - after).toBeLessThan(15)
    // Heartbeats came all the while: slow is not hung.
    expect(daemon.info.children.find(({ name }) => name.startsWith('engine'))!.pid).toBe(engine)
    expect([await balances('high'), await balances('low')]).toEqual([0, 0])
  })

  it.skipIf(!canMount)('a full disk is said, ends nobody for good, and is over when there is room', async () => {
    const pid = daemon.running.child.pid
    const ballast = join(disk, 'ballast')
    const room = statfsSync(disk)
    writeFileSync(ballast, Buffer.alloc(Math.max(0, room.bavail * room.bsize - 4096)))
    const filling = () => {
      const { bavail, bsize } = statfsSync(disk)
      return bavail * bsize
    }
    await until('it says that the store is unusable', () => daemon.running.err().includes('STO_UNUSABLE'))
    expect(filling()).toBeLessThan(200_000)
    rmSync(ballast)
    await until('both cameras are live again', async () => {
      if (daemon.running.child.exitCode !== null) throw new Error('the daemon ended')
      return (await states()).every((state) => state === 'live')
    })
    const before = await analysed('high')
    await until('pictures are analysed again', async () => (await analysed('high')) > before + 10)
    expect(daemon.running.child.pid).toBe(pid)
  })
})

function mounts(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
