/**
 * `script/bench NAME`: the table of benchmarks. Entry file of a command of its own; measures, changes nothing but out/bench.
 */
import { parseArgs } from 'node:util'
import { loadConfig } from '../config/load.ts'
import { GrabberError, toGrabberError } from '../core/errors.ts'
import { settleModels } from '../src/model-choice.ts'
import { createLogger } from '../src/ops/logger.ts'
import { benchEngine } from './benchmarks/engine.ts'
import { benchGallery } from './benchmarks/gallery.ts'
import { benchIdentity } from './benchmarks/identity.ts'
import type { Bench } from './benchmarks/kit.ts'
import { benchPacking } from './benchmarks/packing.ts'
import { benchReplay } from './benchmarks/replay.ts'
import { benchStartup } from './benchmarks/startup.ts'

const benches: Record<string, Bench> = {
  replay: benchReplay,
  engine: benchEngine,
  startup: benchStartup,
  packing: benchPacking,
  gallery: benchGallery,
  identity: benchIdentity,
}

async function main(): Promise<void> {
  const { name, seconds, people, json } = parse(process.argv.slice(2))
  const config = settleModels(loadConfig({ env: process.env, cwd: process.cwd() }).config)
  const assets = process.env.GRABBER_ASSETS || '../shared/assets'
  const logger = createLogger({ level: 'warn', stream: process.stderr })
  const { report, text } = await benches[name]!({ config, assets, logger, seconds, people })
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : text)
}

function parse(args: string[]): {
  name: string
  seconds: number | undefined
  people: number | undefined
  json: boolean
} {
  try {
    const options = {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      people: { type: 'string' },
    } as const
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const [name, ...rest] = positionals
    if (name === undefined || rest.length > 0 || !Object.hasOwn(benches, name)) throw new Error('which benchmark?')
    const seconds = values.seconds === undefined ? undefined : Number(values.seconds)
    if (seconds !== undefined && !(seconds >= 1 && seconds <= 600)) throw new Error('--seconds takes 1 to 600')
    const people = values.people === undefined ? undefined : Number(values.people)
    if (people !== undefined && !(Number.isInteger(people) && people >= 1 && people <= 10_000_000))
      throw new Error('--people takes 1 to 10000000')
    return { name, seconds, people, json: values.json }
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause)
    const remedy = `script/bench ${Object.keys(benches).join('|')} [--json] [--seconds S] [--people N]`
    throw new GrabberError('CFG_USAGE', what, { cause, remedy })
  }
}

main().catch((error) => {
  const coded = toGrabberError(error)
  process.stderr.write(`${coded.line}\n`)
  process.exitCode = coded.exitStatus
})
