/**
 * Trains the forecast of a shot's complexity on synthetic shots, and writes streams/analysis/shots/complexity-model.json, or what
 * `--out` says. Every figure follows from the seed: the same seed gives the same file. Six minutes on one core.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { keyframeModes } from '../core/keyframe.ts'
import { type Example, fitModel } from './complexity/fit.ts'
import { drawShot } from './complexity/shot-draw.ts'
import { metricsOf, workOf } from './complexity/shot-run.ts'

const { values } = parseArgs({
  options: {
    shots: { type: 'string', default: '240' },
    seed: { type: 'string', default: '2026' },
    out: {
      type: 'string',
      default: new URL('../streams/analysis/shots/complexity-model.json', import.meta.url).pathname,
    },
  },
})
const [shots, seed] = [Number(values.shots), Number(values.seed)]
const modes = keyframeModes.filter((mode) => mode !== 'custom')

const examples: Example[] = []
for (let n = 0; n < shots; n++) {
  const draw = drawShot(seed + 1000 * n)
  // A forecast is made of what any mode has seen.
  examples.push({ metrics: metricsOf(draw, modes[n % modes.length]!), work: workOf(draw) })
  process.stderr.write(`\r${n + 1} of ${shots} shots`)
}
process.stderr.write('\n')
const model = fitModel(examples, seed)
writeFileSync(values.out, `${JSON.stringify(model, null, 2)}\n`)
process.stdout.write(`${JSON.stringify({ ...model.training, halfWidth: model.halfWidth })}\n`)
