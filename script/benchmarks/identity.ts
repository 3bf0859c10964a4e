/**
 * `script/bench identity`: media time from the first sight of a person to the confirmed name, over the real clips, at the
 * configuration's rate. Runs in the benchmark's process; enrolment and replay are the real commands, on a data folder of
 * their own. Each person is enrolled from one clip; what is measured are the clips that nobody was enrolled from.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { CloudEvent, EventData } from '../../core/event.ts'
import { table } from '../../src/cli/table.ts'
import { facesSpec, installedModels, modelIds, modelsDir } from '../../src/face-models.ts'
import { type BenchContext, type BenchResult, figure } from './kit.ts'

const people: Record<string, readonly string[]> = {
  anna: ['again', 'help', 'yes'],
  bert: ['book', 'walk'],
  cleo: ['eat', 'night', 'sister'],
}
/** Who is enrolled from which clip: every clip is one of these, and every clip is a probe of another. */
const galleries = [
  { anna: 'again', bert: 'book', cleo: 'eat' },
  { anna: 'help', bert: 'walk', cleo: 'night' },
  { anna: 'yes', bert: 'walk', cleo: 'sister' },
]

const grabber = fileURLToPath(new URL('../../bin/grabber', import.meta.url))

interface Probe {
  clip: string
  /** `null` when the right name was not confirmed. */
  toNameMs: number | null
  wrong: boolean
  verdict: string
  score: number | null
}

export async function benchIdentity({ config, assets }: BenchContext): Promise<BenchResult> {
  const { faces, analysis } = config.defaults
  await installedModels(modelsDir(config), modelIds(facesSpec(faces)))
  const probes: Probe[] = []
  for (const gallery of galleries) {
    const folder = await mkdtemp(join(tmpdir(), 'grabber-bench-'))
    try {
      probes.push(...(await probesOf(folder, resolve(assets), modelsDir(config), { faces, analysis }, gallery)))
    } finally {
      await rm(folder, { recursive: true })
    }
  }
  const named = probes.flatMap(({ toNameMs }) => toNameMs ?? []).toSorted((a, b) => a - b)
  const quantile = (q: number) => named[Math.min(named.length - 1, Math.ceil(q * named.length) - 1)] ?? null
  const report = {
    bench: 'identity',
    fps: analysis.fps,
    liveness: faces.liveness,
    probes: probes.length,
    confirmed: named.length,
    wrong: probes.filter(({ wrong }) => wrong).length,
    firstSightToNameMs: { p50: quantile(0.5), p95: quantile(0.95), max: named.at(-1) ?? null },
    clips: probes,
  }
  const rows = probes.map(({ clip, toNameMs, verdict, score }) => [
    clip,
    toNameMs === null ? '-' : String(toNameMs),
    verdict,
    score === null ? '-' : String(figure(score)),
  ])
  const { p50, p95, max } = report.firstSightToNameMs
  const summary = `${named.length} of ${probes.length} confirmed, ${report.wrong} wrong; first sight to name ${p50} ms (p50), ${p95} ms (p95), ${max} ms (max)`
  return { report, text: `${table([['CLIP', 'TO NAME MS', 'LIVENESS', 'SCORE'], ...rows])}\n${summary}\n` }
}

async function probesOf(
  folder: string,
  assets: string,
  models: string,
  defaults: object,
  gallery: Record<string, string>,
): Promise<Probe[]> {
  const clip = (name: string) => join(assets, 'videos/asl', `${name}.mkv`)
  const data = join(folder, 'data')
  await mkdir(data, { mode: 0o700 })
  await symlink(resolve(models), join(data, 'models'))
  const configFile = join(folder, 'grabber.yaml')
  // JSON is YAML.
  await writeFile(configFile, JSON.stringify({ data, nats: { url: 'none' }, defaults }))
  const env = { ...process.env, GRABBER_DATA: data }
  const run = (...args: string[]) => promisify(execFile)(grabber, ['-c', configFile, ...args], { env })
  for (const [subject, name] of Object.entries(gallery)) await run('faces', 'enroll', subject, clip(name))
  const enrolled = new Set(Object.values(gallery))
  const found: Probe[] = []
  for (const [subject, clips] of Object.entries(people)) {
    const others = clips.filter((name) => !enrolled.has(name))
    if (others.length === 0) continue
    const log = join(folder, `${subject}.jsonl`)
    await run('replay', ...others.map(clip), '--events', log, '--summary', join(folder, 'summary.json'))
    const lines = (await readFile(log, 'utf8')).trim().split('\n')
    const events = lines.map((line) => JSON.parse(line) as CloudEvent)
    for (const name of others) found.push(probe(name, subject, events))
  }
  return found
}

function probe(clip: string, subject: string, events: readonly CloudEvent[]): Probe {
  const words = events
    .filter(({ type, subject: recording }) => type === 'face.track' && recording === clip)
    .map(({ time, data }) => ({ timeMs: Date.parse(time), data: data as EventData<'face.track'> }))
  const named = words.filter(({ data: { identity } }) => ['confirmed', 'corrected'].includes(identity.status))
  const first = named.find(({ data: { identity } }) => identity.subject === subject)
  const last = words.at(-1)?.data.liveness
  return {
    clip,
    toNameMs: first ? first.timeMs - Date.parse(first.data.firstSeen) : null,
    wrong: named.some(({ data: { identity } }) => identity.subject !== subject),
    verdict: last?.verdict ?? 'unchecked',
    score: last?.score ?? null,
  }
}
