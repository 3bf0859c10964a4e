/**
 * The commands `cameras.*`. Runs in the daemon.
 */
import { z } from 'zod'
import type { CameraFile } from '../../config/camera-file.ts'
import { writtenCameraSchema } from '../../config/camera-schema.ts'
import { problemsOf } from '../../config/problem.ts'
import { idSchema } from '../../config/schema.ts'
import { GrabberError } from '../../core/errors.ts'
import type { DiscoveredDevice } from '../../streams/sources/onvif/probe-match.ts'
import type { CameraDesk } from '../camera-fleet.ts'
import type { LiveConfig } from '../live-config.ts'
import { triggerFields, triggerOf } from '../trigger-fields.ts'
import { type CameraDetails, cameraDetails, cameraView } from './camera-view.ts'
import { type Caller, type Command, command } from './command.ts'
import { inputError } from './command-desk.ts'
import { mergePatch } from './merge-patch.ts'

export interface CameraPorts {
  cameras: CameraDesk
  live: LiveConfig
  /** SRC_UNREACHABLE. */
  discover(timeoutMs: number): Promise<DiscoveredDevice[]>
}

const nothing = z.strictObject({})
const one = z.strictObject({ id: idSchema })
const withFields = z.strictObject({ id: idSchema, camera: z.record(z.string(), z.unknown()) })

/** WS-Discovery: devices may take half a second, probes are repeated for two; longer than that finds no more. */
const DISCOVER_MS = { standard: 3000, least: 100, most: 10_000 } as const

export function cameraCommands({ cameras, live, discover }: CameraPorts): Command[] {
  const details = (id: string): CameraDetails => cameraDetails(cameras.get(id), live)
  const byWhom = ({ door }: Caller, name: string) => `${name} by ${door}`

  /** The camera of commands that is to be changed. API_NOT_FOUND, CFG_IN_FILE. */
  function changeable(id: string): unknown {
    const written = live.written(id)
    if (written === undefined) throw new GrabberError('API_NOT_FOUND', `there is no camera ${id}`)
    if (written.by === 'command') return written.camera
    throw new GrabberError('CFG_IN_FILE', `camera ${id} is written in ${live.file ?? 'the configuration'}`)
  }

  return [
    command({
      name: 'cameras.list',
      description: 'every camera and what it does',
      input: nothing,
      changes: false,
      run: () => cameras.list().map((report) => cameraView(report, live)),
    }),
    command({
      name: 'cameras.get',
      description: 'one camera, and what is written of it',
      input: one,
      changes: false,
      run: ({ id }) => details(id),
    }),
    command({
      name: 'cameras.add',
      description: `a new camera; passwords as \${NAME} or \${file:/path}`,
      input: withFields,
      changes: true,
      async run({ id, camera }, caller) {
        checkCamera(camera)
        await live.edit(byWhom(caller, 'cameras.add'), (file) => {
          if (live.written(id) === undefined) return withCamera(file, id, camera)
          throw new GrabberError('API_CONFLICT', `there is a camera ${id} already`)
        })
        return details(id)
      },
    }),
    command({
      name: 'cameras.update',
      description: 'changes fields of a camera that was added by command; null removes one (JSON Merge Patch)',
      input: withFields,
      changes: true,
      async run({ id, camera: patch }, caller) {
        await live.edit(byWhom(caller, 'cameras.update'), (file) => {
          const camera = mergePatch(changeable(id), patch)
          checkCamera(camera)
          return withCamera(file, id, camera)
        })
        return details(id)
      },
    }),
    command({
      name: 'cameras.remove',
      description: 'forgets a camera that was added by command',
      input: one,
      changes: true,
      async run({ id }, caller) {
        await live.edit(byWhom(caller, 'cameras.remove'), (file) => {
          changeable(id)
          return withoutCamera(file, id)
        })
        return { removed: id }
      },
    }),
    command({
      name: 'cameras.start',
      description: 'starts a camera; it is started with the daemon again',
      input: one,
      changes: true,
      async run({ id }) {
        cameras.get(id)
        await live.setStopped(id, false)
        await cameras.start(id)
        return details(id)
      },
    }),
    command({
      name: 'cameras.stop',
      description: 'stops a camera, over restarts of the daemon, until it is started',
      input: one,
      changes: true,
      async run({ id }) {
        cameras.get(id)
        await live.setStopped(id, true, () => cameras.stop(id))
        return details(id)
      },
    }),
    command({
      name: 'cameras.restart',
      description: 'a new session of a camera, whatever the old one was doing',
      input: one,
      changes: true,
      async run({ id }) {
        cameras.get(id)
        if (live.isStopped(id)) await live.setStopped(id, false)
        await cameras.restart(id)
        return details(id)
      },
    }),
    command({
      name: 'cameras.trigger',
      description: 'something happened outside: holds the gate of a camera open, and keeps a picture if asked',
      input: z.strictObject({ id: idSchema, ...triggerFields }),
      changes: true,
      run({ id, ...fields }) {
        if (cameras.trigger(id, triggerOf(fields))) return { triggered: id }
        throw new GrabberError('ACT_STOPPED', `camera ${id} has no session that could be woken`)
      },
    }),
    command({
      name: 'cameras.discover',
      description: 'ONVIF cameras that answer on the networks of this machine',
      input: z.strictObject({
        timeoutMs: z.int().min(DISCOVER_MS.least).max(DISCOVER_MS.most).default(DISCOVER_MS.standard),
      }),
      changes: false,
      run: ({ timeoutMs }) => discover(timeoutMs),
    }),
  ]
}

/** API_BAD_REQUEST. */
function checkCamera(camera: unknown): void {
  const schema = z.strictObject({ camera: writtenCameraSchema })
  const result = schema.safeParse({ camera }, { reportInput: true })
  if (!result.success) throw inputError(problemsOf(result.error.issues, schema))
}

function withCamera(file: CameraFile, id: string, camera: unknown): CameraFile {
  return { ...file, cameras: { ...file.cameras, [id]: camera } }
}

function withoutCamera(file: CameraFile, id: string): CameraFile {
  const cameras = Object.entries(file.cameras).filter(([other]) => other !== id)
  return { cameras: Object.fromEntries(cameras), stopped: file.stopped.filter((other) => other !== id) }
}
