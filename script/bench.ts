/**
 * `script/bench NAME`: the table of benchmarks. Entry file of a command of its own; measures, changes nothing but out/bench.
 */
import { parseArgs } from 'node:util'
import { loadConfig } from '../config/load.ts'
import { GrabberError, toGrabberError } from '../core/errors.ts'
import { settleModels } from '../src/model-choice.ts'
import { createLogger } from '../src/ops/logger.ts'
import { benchCameras } from './benchmarks/cameras.ts'
import { benchEngine } from './benchmarks/engine.ts'
import { benchGallery } from './benchmarks/gallery.ts'
import { benchIdentity } from './benchmarks/identity.ts'
import type { Bench, BenchContext } from './benchmarks/kit.ts'
import { benchMeasures } from './benchmarks/measures.ts'
import { benchPacking } from './benchmarks/packing.ts'
import { benchPicture } from './benchmarks/picture-health.ts'
import { benchReconstruct } from './benchmarks/reconstruct.ts'
import { benchReplay } from './benchmarks/replay.ts'
import { benchStartup } from './benchmarks/startup.ts'

const benches: Record<string, Bench> = {
  replay: benchReplay,
  engine: benchEngine,
  startup: benchStartup,
  packing: benchPacking,
  gallery: benchGallery,
  identity: benchIdentity,
  cameras: benchCameras,
  picture: benchPicture,
  measures: benchMeasures,
  reconstruct: benchReconstruct,
}

async function main(): Promise<void> {
  const { name, json, ...limits } = parse(process.argv.slice(2))
  const config = settleModels(loadConfig({ env: process.env, cwd: process.cwd() }).config)
  const assets = process.env.GRABBER_ASSETS || '../shared/assets'
  const logger = createLogger({ level: 'warn', stream: process.stderr })
  const { report, text } = await benches[name]!({ config, assets, logger, ...limits })
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : text)
}

type Limits = Pick<BenchContext, 'seconds' | 'people' | 'count' | 'active' | 'paths'>

function parse(args: string[]): Limits & { name: string; json: boolean } {
  try {
    const text = { type: 'string' } as const
    const flag = { type: 'boolean', default: false } as const
    const options = { json: flag, seconds: text, people: text, count: text, active: text, paths: text }
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const [name, ...rest] = positionals
    if (name === undefined || rest.length > 0 || !Object.hasOwn(benches, name)) throw new Error('which benchmark?')
    const whole = (option: 'people' | 'count' | 'active' | 'paths', least: number, most: number) => {
      const value = number(option, values[option], least, most)
      if (value !== undefined && !Number.isInteger(value)) throw new Error(`--${option} takes a whole number`)
      return value
    }
    return {
      name,
      json: values.json,
      seconds: number('seconds', values.seconds, 1, 3600),
      people: whole('people', 1, 10_000_000),
      count: whole('count', 1, 500),
      active: whole('active', 0, 500),
      paths: whole('paths', 1, 4),
    }
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause)
    const remedy = `script/bench ${Object.keys(benches).join('|')} [--json] [--seconds S] [--people N] [--count N] [--active K] [--paths N]`
    throw new GrabberError('CFG_USAGE', what, { cause, remedy })
  }
}

function number(option: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text === '' || !(value >= least && value <= most)) throw new Error(`--${option} takes ${least} to ${most}`)
  return value
}

main().catch((error) => {
  const coded = toGrabberError(error)
  process.stderr.write(`${coded.line}\n`)
  process.exitCode = coded.exitStatus
})
