/**
 * Entry of a session host: one process for one camera, recording, batch of stills or look at a file.
 * Owns the process: its messages, its signals, its end. Must never outlive the daemon: when the IPC channel closes it
 * kills itself, and that works for `kill -9` of the daemon as well, whatever native call is under way.
 */
import { systemClock } from '../core/clock.ts'
import { toGrabberError } from '../core/errors.ts'
import { CONTROL_PROTOCOL, type FromSession, type ToSession } from '../core/wire/control.ts'
import type { SessionSpec, StillsSpec } from '../core/wire/session-spec.ts'
import { EngineClient } from '../models/engine-client.ts'
import { isErrand, runErrand } from './errands.ts'
import { silenceNativeLog } from './media/native-log.ts'
import { hasStuckCalls } from './media/patient-call.ts'
import { Session } from './session.ts'
import { SessionLink } from './session-link.ts'
import { Stills } from './stills.ts'

/** Messages handed to the channel and not yet written: leaving before they are would lose the last words. */
let unwritten = 0
let leaving = false

function post(message: FromSession): void {
  if (!process.connected) return
  unwritten++
  process.send?.(message, undefined, undefined, () => {
    unwritten--
    if (leaving && unwritten === 0) exit()
  })
}

function exit(): void {
  if (hasStuckCalls()) process.kill(process.pid, 'SIGKILL')
  process.exit()
}

interface Work {
  incarnation: number
  link: SessionLink
  engine: EngineClient
  session: Session | undefined
}

let work: Work | undefined

/** Started by a pool (actors/host-pool): one work after the other, each with an engine client and a graph of its own. */
const several = process.argv.includes('--several')

function begin(message: Extract<ToSession, { type: 'start' | 'stills' }>): void {
  const { incarnation, spec } = message
  const link = new SessionLink(incarnation, systemClock, post)
  const engine = new EngineClient({ ...engineOptions(spec), clock: systemClock })
  engine.setEndpoint(message.engine, message.why)
  const session = message.type === 'start' ? new Session(message.spec, link, engine, systemClock) : undefined
  work = { incarnation, link, engine, session }
  const run = message.type === 'start' ? session!.run() : new Stills(message.spec, link, engine, systemClock).run()
  run.then(
    () => conclude(incarnation),
    (error) => {
      link.send({ type: 'failed', error: toGrabberError(error).toJSON(), progress: session?.progress() ?? null })
      leave(1)
    },
  )
}

let onErrand = false

function go(message: Parameters<typeof runErrand>[0]): void {
  onErrand = true
  runErrand(message, post).then(
    () => conclude(message.incarnation),
    (error) => {
      const { incarnation } = message
      const coded = toGrabberError(error)
      post({ type: 'failed', incarnation, error: coded.toJSON(), progress: null })
      // A file that FFmpeg refuses to open leaves nothing behind; what failed later may have.
      if (coded.code.startsWith('SRC_')) conclude(incarnation)
      else leave(1)
    },
  )
}

/** A camera has no use for an answer that is late; a recording and stills wait. */
function engineOptions(spec: SessionSpec | StillsSpec) {
  const { askDeadlineMs } = spec
  if (!('camera' in spec)) return { session: 'stills', priority: 0, askDeadlineMs }
  const expiresInMs = spec.source.overflow === 'drop-oldest' ? askDeadlineMs : null
  return { session: spec.camera, priority: spec.priority, askDeadlineMs, expiresInMs }
}

/** The work is over and left nothing behind: the next one may come, or the process ends. */
function conclude(incarnation: number): void {
  if (!several || hasStuckCalls()) {
    leave(0)
    return
  }
  work?.engine.close()
  work = undefined
  onErrand = false
  post({ type: 'rested', incarnation })
}

/** Exits once the last message is written. */
function leave(status: number): void {
  work?.engine.close()
  process.exitCode = status
  leaving = true
  if (unwritten === 0) exit()
}

function receive(message: ToSession): void {
  if (message.type === 'start' || message.type === 'stills') {
    if (!work) begin(message)
    return
  }
  if (isErrand(message)) {
    if (!work && !onErrand) go(message)
    return
  }
  if (!work || message.incarnation !== work.incarnation) return
  if (message.type === 'engine') work.engine.setEndpoint(message.engine, message.why)
  else if (message.type === 'stop') work.session ? work.session.stop() : leave(0)
  else if (message.type === 'connect') work.session?.connect()
  else if (message.type === 'trigger') work.session?.trigger(message)
  else if (message.type === 'pace') work.session?.pace(message.share)
  else work.link.receive(message)
}

silenceNativeLog()
process.on('message', (message) => receive(message as ToSession))
// Nobody is left to hear a last word, and `process.exit` would wait for a native call that may never return.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
// Ctrl-C in a terminal reaches the whole process group; the daemon decides when a session ends.
process.on('SIGINT', () => undefined)
post({ type: 'hello', incarnation: 0, protocol: CONTROL_PROTOCOL, pid: process.pid })
