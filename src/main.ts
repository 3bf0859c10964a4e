/**
 * The program: its table of commands. Entry file of every command and of the daemon.
 */

import packageJson from '../package.json' with { type: 'json' }
import { registerBatch } from './cli/batch.ts'
import { registerCameras } from './cli/cameras.ts'
import { registerClip } from './cli/clip.ts'
import { runCommandLine } from './cli/command-line.ts'
import { registerConfig } from './cli/config.ts'
import type { Register } from './cli/context.ts'
import { registerEvents } from './cli/events.ts'
import { registerExtract } from './cli/extract.ts'
import { registerFaces } from './cli/faces.ts'
import { registerJobs } from './cli/jobs.ts'
import { registerModels } from './cli/models.ts'
import { processContext } from './cli/process-context.ts'
import { registerReplay } from './cli/replay.ts'
import { registerRun } from './cli/run.ts'

const commands: readonly Register[] = [
  registerRun, //     run
  registerCameras, // cameras list · get · add · update · remove · start · stop · restart · trigger · discover
  registerReplay, //  replay
  registerExtract, // extract
  registerBatch, //   batch · watch
  registerJobs, //    jobs list · show
  registerClip, //    clip
  registerFaces, //  faces detect · identify · enroll · list · remove · calibrate
  registerEvents, //  events tail · dead
  registerModels, //  models list · pull · verify
  registerConfig, //  config check · print · schema · reload
]

const context = processContext(process, process.env)
process.exitCode = await runCommandLine(process.argv.slice(2), context, commands, packageJson)
