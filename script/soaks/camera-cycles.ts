/**
 * `script/soak cycles`: cameras of one daemon that are cut off and come back, 300 times, with a quarter of them away. Entry file
 * of a command of its own. The short form is test/fault/camera-cycles.
 */
import { parseArgs } from 'node:util'
import { CameraCycles } from '../../test/fault/support/camera-cycles.ts'

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    cameras: { type: 'string', default: '4' },
    'warm-up': { type: 'string', default: '20' },
    cycles: { type: 'string', default: '300' },
  },
})
await using cycles = await CameraCycles.open({
  cameras: Number(values.cameras),
  warmUp: Number(values['warm-up']),
  cycles: Number(values.cycles),
  models: false,
})
process.stdout.write(`${JSON.stringify({ soak: 'cycles', ...values, ...(await cycles.run()) })}\n`)
