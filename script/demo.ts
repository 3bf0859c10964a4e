/**
 * The demo behind script/demo: writes a configuration with file cameras, enrols a person, runs the daemon, prints its events.
 * Uses the program as a person would: its commands and its HTTP API, nothing from inside.
 */
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const POLL_MS = 200
const START_LIMIT_MS = 30_000
const folder = resolve('out/demo')
const data = join(folder, 'data')
const config = join(folder, 'grabber.yaml')
const grabber = resolve('bin/grabber')
/** What the demo says stands, whatever GRABBER_* variables the person has set. */
const env = { ...process.env, GRABBER_DATA: data, GRABBER_NODE: '', GRABBER_HTTP_PORT: '', GRABBER_NATS_URL: '' }
const run = (program: string, args: string[]) => promisify(execFile)(program, args, { env })
const say = (text: string) => process.stdout.write(`${text}\n`)

interface DemoEvent {
  id: string
  type: string
  subject: string
  time: string
  data: Record<string, unknown> & {
    phase?: string
    state?: string
    reason?: string
    identity?: { status: string; name?: string; similarity?: number }
  }
}

interface Clip {
  camera: string
  path: string
}

/** Real clips of people signing and of cars, when a mirror is at hand; otherwise a moving test picture. */
async function clips(): Promise<{ enrol: string | undefined; cameras: Clip[] }> {
  const videos = process.env.GRABBER_ASSETS && join(process.env.GRABBER_ASSETS, 'videos')
  if (!videos || !existsSync(join(videos, 'asl'))) return { enrol: undefined, cameras: [await testPicture()] }
  const asl = (name: string) => join(videos, 'asl', `${name}.mkv`)
  return {
    enrol: asl('again'),
    cameras: [
      { camera: 'lobby', path: asl('help') },
      { camera: 'desk', path: asl('yes') },
      { camera: 'hall', path: asl('book') },
      { camera: 'street', path: join(videos, 'car-detection.mp4') },
    ],
  }
}

async function testPicture(): Promise<Clip> {
  const path = join(folder, 'test-picture.mp4')
  const source = 'testsrc=size=640x360:rate=15:duration=10'
  await run('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', source, '-pix_fmt', 'yuv420p', path])
  return { camera: 'lobby', path }
}

function writeConfiguration(cameras: Clip[]): void {
  const lines = cameras.map(({ camera, path }) => {
    // The people's clips take 2 s each; three passes let one watch.
    const loop = camera === 'street' ? 'false' : '3'
    return `  ${camera}: { source: ${JSON.stringify(`file:${path}`)}, loop: ${loop} }`
  })
  const text = ['node: demo', `data: ${data}`, 'http: { port: 0 }', 'cameras:', ...lines, '']
  writeFileSync(config, text.join('\n'))
}

async function enrolAnna(clip: string): Promise<void> {
  say(`enrolling Anna from ${clip}`)
  await run(grabber, ['-c', config, 'faces', 'enroll', 'anna', clip, '--name', 'Anna'])
}

function startDaemon() {
  const log = join(folder, 'grabber.log')
  const daemon = spawn('sh', ['-c', 'exec "$0" -c "$1" run 2>"$2"', grabber, config, log], {
    stdio: 'ignore',
    env,
    // Ctrl-C reaches the whole process group; the daemon shall get one signal, from us.
    detached: true,
  })
  const exited = new Promise<number | null>((done) => daemon.once('exit', (code) => done(code)))
  return { daemon, exited, log }
}

async function httpUrl(isUp: () => boolean): Promise<string> {
  const deadline = Date.now() + START_LIMIT_MS
  while (isUp() && Date.now() < deadline) {
    if (existsSync(join(data, 'run.json'))) {
      const { httpUrl: url } = JSON.parse(readFileSync(join(data, 'run.json'), 'utf8'))
      if (url) return url
    }
    await new Promise((done) => setTimeout(done, POLL_MS))
  }
  throw new Error(`the daemon did not start: see ${join(folder, 'grabber.log')}`)
}

async function ask<T>(url: string, path: string): Promise<T> {
  const answer = (await (await fetch(url + path)).json()) as { data: T }
  return answer.data
}

function describe({ type, time, subject, data: what }: DemoEvent): string {
  const at = time.slice(11, 19)
  const text = [what.phase ?? what.state, what.identity?.status, what.identity?.name].filter(Boolean).join(' · ')
  const similarity = what.identity?.similarity === undefined ? '' : ` (cosine ${what.identity.similarity})`
  return `${at}  ${subject.padEnd(7)} ${type.padEnd(13)} ${text}${similarity}`
}

async function watch(url: string, isOver: () => boolean): Promise<void> {
  const seen = new Set<string>()
  while (!isOver()) {
    try {
      const reports = await ask<{ state: string }[]>(url, '/api/v1/cameras')
      const events = await ask<DemoEvent[]>(url, '/api/v1/events?limit=200')
      for (const event of events.reverse()) if (!seen.has(event.id)) say(describe(event))
      for (const { id } of events) seen.add(id)
      if (reports.every(({ state }) => state === 'stopped')) return
    } catch (error) {
      // It does not answer any more because it is ending, which is what was wanted.
      if (!isOver()) throw error
    }
    await new Promise((done) => setTimeout(done, POLL_MS))
  }
}

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const { enrol, cameras } = await clips()
writeConfiguration(cameras)
const pulled = await run(grabber, ['-c', config, 'models', 'pull']).then(
  () => true,
  () => false,
)
if (pulled && enrol) await enrolAnna(enrol)
else say('no faces here: with a network or a mirror, `bin/grabber models pull` adds them')

const { daemon, exited, log } = startDaemon()
let up = true
let interrupted = false
void exited.then(() => {
  up = false
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted = true
    daemon.kill('SIGTERM')
  })
}
try {
  const url = await httpUrl(() => up)
  say(`grabber runs: ${cameras.length} cameras, log in ${log}\n`)
  await watch(url, () => interrupted || !up)
} finally {
  if (!interrupted) daemon.kill('SIGTERM')
}
const status = (await exited) ?? 1
process.exitCode = interrupted ? 130 : status
say(`
${interrupted ? 'Stopped.' : 'The clips have ended.'} Where to look next:
  ${config}   the configuration of this demo
  bin/grabber -c ${config} run   the same again, until Ctrl-C; then curl its /metrics and /api/v1/events
  bin/grabber -c ${config} replay ${cameras[0]?.path}   one recording through the very same graph
  nats sub 'grabber.demo.events.>'   what subscribers see, while it runs (address in ${join(data, 'run.json')})
  README.md   the rest`)
