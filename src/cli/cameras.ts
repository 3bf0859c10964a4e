/**
 * `grabber cameras list · get · add · update · remove · start · stop · restart · trigger · discover`. Runs as a command; the running
 * daemon does the work.
 */
import type { Command } from 'commander'
import type { DiscoveredDevice } from '../../streams/sources/onvif/probe-match.ts'
import type { CameraDetails, CameraView } from '../commands/camera-view.ts'
import { findDaemon, runInDaemon } from './ask-daemon.ts'
import { cameraFields, type FieldFlags } from './camera-fields.ts'
import { camerasTable, cameraText, devicesTable } from './cameras-text.ts'
import { type CliContext, usage } from './context.ts'

interface JsonFlag {
  json?: true
}

const EXAMPLE_SOURCE = `'rtsp://viewer:\${GATE_PASSWORD}@192.0.2.11/stream1'`

const collected = (value: string, before: string[] = []) => [...before, value]

export function registerCameras(program: Command, context: CliContext): void {
  const cameras = program.command('cameras').description('the cameras of the running grabber: see, add, start, stop')

  function print<T>(data: unknown, { json }: JsonFlag, text: (data: T) => string): void {
    context.stdout.write(json ? `${JSON.stringify(data, null, 2)}\n` : text(data as T))
  }

  /** `<id>` and `--json`; what is asked for is in the answer. */
  function verb(name: string, description: string): void {
    cameras
      .command(`${name} <id>`)
      .description(description)
      .option('--json', 'JSON')
      .addHelpText('after', `\nExample:\n  grabber cameras ${name} gate`)
      .action(async (id: string, flags: JsonFlag, command: Command) => {
        const data = await runInDaemon(context, command, `cameras.${name}`, { id })
        print<CameraDetails>(data, flags, ({ state, reason }) => `${id}: ${state} (${reason})\n`)
      })
  }

  cameras
    .command('list')
    .description('every camera and what it does')
    .option('--json', 'one JSON array')
    .addHelpText('after', '\nExample:\n  grabber cameras list')
    .action(async (flags: JsonFlag, command: Command) => {
      print<CameraView[]>(await runInDaemon(context, command, 'cameras.list', {}), flags, camerasTable)
    })

  cameras
    .command('get <id>')
    .description('one camera, and what is written of it')
    .option('--json', 'JSON')
    .addHelpText('after', '\nExample:\n  grabber cameras get gate')
    .action(async (id: string, flags: JsonFlag, command: Command) => {
      print<CameraDetails>(await runInDaemon(context, command, 'cameras.get', { id }), flags, cameraText)
    })

  cameras
    .command('add <id>')
    .description(`a new camera; fields as in docs/configuration.md, passwords only as \${NAME} or \${file:/path}`)
    .requiredOption('--source <address>', 'where its pictures come from')
    .option('--set <field=value>', 'another field; may be repeated', collected)
    .option('--json', 'JSON')
    .addHelpText('after', `\nExample:\n  grabber cameras add gate --source ${EXAMPLE_SOURCE} --set analysis.fps=10`)
    .action(async (id: string, flags: FieldFlags & JsonFlag, command: Command) => {
      const camera = cameraFields(flags, context.cwd)
      const data = await runInDaemon(context, command, 'cameras.add', { id, camera })
      print(data, flags, () => `${id}: added\n`)
    })

  cameras
    .command('update <id>')
    .description('other fields for a camera that was added by command')
    .option('--source <address>', 'where its pictures come from')
    .option('--set <field=value>', 'a field; may be repeated', collected)
    .option('--unset <field>', 'back to its default; may be repeated', collected)
    .option('--json', 'JSON')
    .addHelpText('after', '\nExample:\n  grabber cameras update gate --set priority=5 --unset analysis.fps')
    .action(async (id: string, flags: FieldFlags & JsonFlag, command: Command) => {
      const camera = cameraFields(flags, context.cwd)
      if (Object.keys(camera).length === 0) throw usage('give --source, --set or --unset')
      const data = await runInDaemon(context, command, 'cameras.update', { id, camera })
      print(data, flags, () => `${id}: updated\n`)
    })

  cameras
    .command('remove <id>')
    .description('forget a camera that was added by command')
    .option('--json', 'JSON')
    .addHelpText('after', '\nExample:\n  grabber cameras remove gate')
    .action(async (id: string, flags: JsonFlag, command: Command) => {
      print(await runInDaemon(context, command, 'cameras.remove', { id }), flags, () => `${id}: removed\n`)
    })

  verb('start', 'start a camera')
  verb('stop', 'stop a camera until it is started, over restarts of grabber')
  verb('restart', 'a new session of a camera, whatever the old one was doing')

  cameras
    .command('trigger <id>')
    .description('something happened: hold the gate of a camera open')
    .requiredOption('--reason <text>', 'what happened, in a few words')
    .option('--seconds <n>', 'for how long, 1 to 600', Number, 10)
    .option('--keyframe', 'keep a picture of it')
    .option('--json', 'JSON')
    .addHelpText('after', '\nExample:\n  grabber cameras trigger gate --reason "door contact" --keyframe')
    .action(async (id: string, flags: TriggerFlags & JsonFlag, command: Command) => {
      const { reason, seconds, keyframe = false } = flags
      if (!Number.isFinite(seconds)) throw usage('--seconds takes a number')
      const data = await runInDaemon(context, command, 'cameras.trigger', { id, reason, seconds, keyframe })
      print(data, flags, () => `${id}: woken for ${seconds} s\n`)
    })

  cameras
    .command('discover')
    .description('ONVIF cameras that answer on the networks around; needs no running grabber')
    .option('--seconds <n>', 'how long to wait for answers, 0.1 to 10', Number, 3)
    .option('--json', 'one JSON array')
    .addHelpText('after', '\nExample:\n  grabber cameras discover')
    .action(async (flags: { seconds: number } & JsonFlag, command: Command) => {
      print<DiscoveredDevice[]>(await discover(context, command, flags.seconds * 1000), flags, devicesTable)
    })
}

interface TriggerFlags {
  reason: string
  seconds: number
  keyframe?: true
}

/** Where the daemon is, which may be on other networks than this command (a container); without one, here. */
async function discover(context: CliContext, command: Command, timeoutMs: number): Promise<unknown> {
  if (!(timeoutMs >= 100 && timeoutMs <= 10_000)) throw usage('--seconds takes 0.1 to 10')
  if (findDaemon(context, command) !== undefined) {
    return runInDaemon(context, command, 'cameras.discover', { timeoutMs: Math.round(timeoutMs) })
  }
  const { discoverOnvif } = await import('../../streams/sources/onvif/discover-onvif.ts')
  return discoverOnvif({ timeoutMs, signal: context.signal })
}
