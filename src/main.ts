/**
 * The program: its table of commands. Entry file of every command and of the daemon.
 */

import packageJson from '../package.json' with { type: 'json' }
import { runCommandLine } from './cli/command-line.ts'
import { registerConfig } from './cli/config.ts'
import type { Register } from './cli/context.ts'
import { registerFaces } from './cli/faces.ts'
import { registerModels } from './cli/models.ts'
import { processContext } from './cli/process-context.ts'
import { registerReplay } from './cli/replay.ts'
import { registerRun } from './cli/run.ts'

const commands: readonly Register[] = [
  registerRun, //     run
  registerReplay, //  replay
  registerFaces, //  faces detect · identify · enroll · list · remove · calibrate
  registerModels, //  models list · pull · verify
  registerConfig, //  config check · print · schema
]

const context = processContext(process, process.env)
process.exitCode = await runCommandLine(process.argv.slice(2), context, commands, packageJson)
