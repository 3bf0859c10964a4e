/**
 * What the processes of the protocol model know, and what they say to each other. The rules are in world.ts.
 */
import { emptyLedger, FrameLedger, type LedgerCounts } from '../../../core/ledger.ts'

export type Policy = 'wait' | 'drop-oldest'

/** Ways to get the protocol wrong; the test shows that each is noticed. */
export type Mistake =
  | 'open frames of a dead host are forgotten'
  | 'a dead engine keeps its credits'
  | 'checkpoint before its events'
  | 'checkpoint without its ledger'
  | 'acks are not fenced'
  | 'results are taken out of order'
  | 'lost is said before its frames have a fate'
  | 'connect is not fenced'

export const PASSES = 3
export const FRAMES_PER_PASS = 8
export const EVENT_CREDITS = 2
export const ENGINE_CREDITS = 3
export const WAITING_FRAMES = 3
export const ATTEMPTS = 2

export interface Frame {
  seq: number
  state: 'waiting' | 'sent' | 'answered' | 'asking' | 'matched'
  attempt: number
}

export type ToDaemon = { incarnation: number } & (
  | { type: 'event'; n: number; id: string }
  | { type: 'match'; seq: number }
  | { type: 'progress' | 'ended' | 'lost'; ledger: LedgerCounts }
  | { type: 'checkpoint'; pass: number }
)
export type ToHost = { incarnation: number } & (
  | { type: 'ack'; n: number }
  | { type: 'match.answer'; seq: number }
  | { type: 'connect' }
  | { type: 'engine'; engine: number }
)

export class Host {
  readonly ledger = new FrameLedger()
  /** In flight, in order of their seq. */
  frames: Frame[] = []
  /** The tracker's state: faces seen in this pass. */
  seen = 0
  sent = 0
  acked = 0
  engine: { credits: number } | null = null
  /** `draining`: the camera is gone, its last frames are not. `lost`: that was said, and `connect` is awaited. */
  source: 'connected' | 'draining' | 'lost' = 'connected'
  /** Times that it was told to connect while it had not asked for it. */
  unasked = 0
  creditsLost = 0
  readonly incarnation: number
  readonly epoch: string
  pass: number
  next: number

  constructor(incarnation: number, epoch: string, pass: number, next: number) {
    this.incarnation = incarnation
    this.epoch = epoch
    this.pass = pass
    this.next = next
  }

  /** `engine`: the incarnation that lives, if any does. */
  reads(message: ToHost, engine: number | undefined): void {
    if (message.type === 'ack') this.acked = message.n
    if (message.type === 'connect') {
      if (this.source !== 'lost') this.unasked++
      this.source = 'connected'
    }
    if (message.type === 'match.answer') {
      const frame = this.frames.find(({ seq }) => seq === message.seq)
      if (frame?.state === 'asking') frame.state = 'matched'
    }
    // An address that is out of date by now connects to nothing; a newer one is under way.
    if (message.type === 'engine' && message.engine === engine) {
      this.engine ??= { credits: ENGINE_CREDITS - this.creditsLost }
    }
  }
}

export class Daemon {
  incarnation = 0
  /** Events of the present incarnation so far. */
  events = 0
  /** What went before this incarnation; what it said last; and, for a recording, all up to the checkpoint. */
  before = emptyLedger()
  last = emptyLedger()
  upToCheckpoint = emptyLedger()
  checkpoint = 0
  /** The host's camera is gone, and the next attempt is waited for. */
  isLost = false
  done = false
}
