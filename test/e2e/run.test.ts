import { appendFileSync, chmodSync, cpSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'nats'
import { afterEach, describe, expect, it } from 'vitest'
import { imbalance } from '../../core/ledger.ts'
import { cleanUp, onCleanUp, until } from '../integration/support/nats.ts'
import { startDaemon } from './support/daemon.ts'
import { assets, Grabber } from './support/grabber.ts'
import { descendants, isAlive } from './support/processes.ts'

afterEach(cleanUp)

const clip = (name: string) => `file:${join(assets, 'videos', name)}`

function grabberWith(config: string, models = true) {
  const grabber = new Grabber({ models, env: { GATE_PASSWORD: 'hush-hush' } })
  onCleanUp(() => grabber[Symbol.dispose]())
  const path = grabber.path('grabber.yaml')
  writeFileSync(path, `http: { port: 0 }\n${config}`)
  return { grabber, path }
}

describe('grabber run', () => {
  it('plays a file as a camera: live, events on NATS and in the history, stopped at its end; then ends in order', async () => {
    const { grabber, path } = grabberWith(`cameras:\n  lobby: { source: "${clip('asl/yes.mkv')}", loop: 2 }\n`)
    const daemon = await startDaemon(grabber, path)
    onCleanUp(() => daemon.running.child.kill('SIGKILL'))
    await until('all is well', async () => (await daemon.text('/health/ready')).includes('"status":"ok"'))

    const connection = await connect({ servers: daemon.info.natsUrl! })
    onCleanUp(() => connection.close())
    const stream = await connection.jetstream().consumers.get('GRABBER_EVENTS')

    await until('the clip ended', async () => (await daemon.camera('lobby'))?.state === 'stopped', 30_000)
    const history = await daemon.mediaEvents()
    expect(history.map(({ type }) => type)).toContain('face.track')
    const { ledger } = (await daemon.camera('lobby'))!
    expect(imbalance({ ...ledger, skipped: ledger.skipped as Record<string, number> })).toBe(0)
    expect(ledger.inFlight).toBe(0)
    // 65 frames a pass, two passes.
    expect(ledger.captured).toBe(130)

    const published = new Map<string, string>()
    await until('all events are on the stream', async () => {
      for await (const message of await stream.fetch({ max_messages: 100, expires: 1000 })) {
        published.set(message.headers!.get('ce-id'), message.subject)
      }
      return history.every(({ id }) => published.has(id))
    })
    expect(published.get(history[0]!.id)).toBe('grabber.edge-1.events.lobby.motion')

    const children = descendants(daemon.running.child.pid!)
    expect(children.length).toBeGreaterThan(1)
    expect(await daemon.stop()).toBe(0)
    expect(children.filter(isAlive)).toEqual([])
  })

  it('shows what it measures: states, frames and restarts by camera, bounded names', async () => {
    const { grabber, path } = grabberWith(
      `nats: { url: none }\ncameras:\n  lobby: { source: "${clip('asl/yes.mkv')}", loop: true }\n`,
    )
    const daemon = await startDaemon(grabber, path)
    onCleanUp(() => daemon.running.child.kill('SIGKILL'))
    await until('frames are counted', async () =>
      /grabber_processed_frames_total\{camera_id="lobby",result="analysed"\} [1-9]/.test(await daemon.text('/metrics')),
    )
    await until('batches are counted', async () =>
      /grabber_inference_batch_size_count\{model="yunet"\} [1-9]/.test(await daemon.text('/metrics')),
    )
    const metrics = await daemon.text('/metrics')
    expect(metrics).toContain('grabber_camera_state{camera_id="lobby",state="live"} 1')
    expect(metrics).toMatch(/grabber_event_loop_delay_seconds\{quantile="0.99"\}/)
    await until('its share of the rate is told', async () =>
      /grabber_camera_rate_share\{camera_id="lobby"\} [01]/.test(await daemon.text('/metrics')),
    )

    const host = daemon.pid('camera:lobby')!
    process.kill(host, 'SIGKILL')
    await until('the session was replaced', () => ![undefined, host].includes(daemon.pid('camera:lobby')))
    await until('the restart is counted', async () =>
      (await daemon.text('/metrics')).includes('grabber_actor_restarts_total{actor="camera:lobby"} 1'),
    )
    expect(await daemon.stop()).toBe(0)
  })

  it('keeps healthy cameras going beside broken ones, and says what is wrong with each', async () => {
    const { grabber, path } = grabberWith(`
nats: { url: none }
cameras:
  good: { source: "${clip('asl/yes.mkv')}", loop: true }
  gone: { source: "file:./not-there.mp4" }
  later: { source: "rtsp://viewer:\${GATE_PASSWORD}@127.0.0.1:1/stream" }
  spare: { source: "rtsp://192.0.2.1/stream", enabled: false }
  folder: { source: "file:." }
`)
    const daemon = await startDaemon(grabber, path)
    onCleanUp(() => daemon.running.child.kill('SIGKILL'))
    await until('the good one is live', async () => (await daemon.camera('good'))?.state === 'live')
    await until('the missing one backs off', async () => (await daemon.camera('gone'))?.state === 'backing_off')
    await until('the unreachable one backs off', async () => (await daemon.camera('later'))?.state === 'backing_off')
    expect((await daemon.camera('folder'))?.state).toBe('stopped')
    expect((await daemon.camera('spare'))?.state).toBe('stopped')
    const metrics = await daemon.text('/metrics')
    expect(metrics).toContain('grabber_camera_session_failures_total{camera_id="gone",code="SRC_UNREADABLE"}')
    expect(metrics).toMatch(/grabber_camera_session_failures_total\{camera_id="later",code="SRC_\w+"\} [1-9]/)
    expect(await daemon.text('/api/v1/supervision')).not.toContain('hush-hush')
    expect(daemon.running.err()).not.toContain('hush-hush')
    expect(await daemon.stop()).toBe(0)
  })

  it('runs without models: motion is told, faces are not, and one line says how to add them', async () => {
    const { grabber, path } = grabberWith(
      `nats: { url: none }\ncameras:\n  street: { source: "${clip('car-detection.mp4')}" }\n`,
      false,
    )
    const daemon = await startDaemon(grabber, path)
    onCleanUp(() => daemon.running.child.kill('SIGKILL'))
    await until('motion is told', async () => (await daemon.mediaEvents()).some(({ type }) => type === 'motion'))
    const lines = daemon.running.err().split('\n')
    expect(lines.filter((line) => line.includes('grabber models pull'))).toHaveLength(1)
    expect(await daemon.stop()).toBe(0)
  })

  it('refuses a second daemon on the same data folder', async () => {
    const { grabber, path } = grabberWith('nats: { url: none }\n')
    const daemon = await startDaemon(grabber, path)
    onCleanUp(() => daemon.running.child.kill('SIGKILL'))
    const second = await grabber.run('-c', path, 'run')
    expect(second.status).toBe(5)
    expect(second.err).toMatch(/^STO_LOCKED: process \d+ owns .*\n$/)
    expect(await daemon.stop()).toBe(0)
  })

  it('refuses a bad configuration with all its problems at once: 2, and nothing is made', async () => {
    const { grabber, path } = grabberWith('nod: x\ncameras:\n  lobby: { sorce: "file:a.mp4", priority: 99 }\n', false)
    const { status, err } = await grabber.run('-c', path, 'run')
    expect(status).toBe(2)
    expect(err).toContain('nod: unknown key, did you mean node?')
    expect(err).toContain('cameras.lobby.sorce: unknown key, did you mean source?')
    expect(err).toMatch(/cameras\.lobby\.priority: .*10/)
    expect(err.trimEnd().split('\n').at(-1)).toMatch(/^CFG_INVALID: /)
    expect(existsSync(grabber.data)).toBe(false)
  })

  it('refuses a model whose hash is wrong: 4, and nothing is started', async () => {
    const { grabber, path } = grabberWith(`cameras:\n  lobby: { source: "${clip('asl/yes.mkv')}" }\n`, false)
    const models = join(grabber.data, 'models')
    cpSync(join(assets, 'models'), models, { recursive: true })
    const file = join(models, 'yunet_s_dynamic.onnx')
    chmodSync(file, 0o600)
    appendFileSync(file, 'x')
    const { status, err } = await grabber.run('-c', path, 'run')
    expect(status).toBe(4)
    expect(err).toMatch(/^MDL_HASH: [^\n]*yunet_s_dynamic\.onnx[^\n]*\n$/)
    expect(existsSync(join(grabber.data, 'run.json'))).toBe(false)
    expect((await grabber.run('faces', 'detect', join(assets, 'liveness/image_T1.jpg'))).status).toBe(4)
  })
})
