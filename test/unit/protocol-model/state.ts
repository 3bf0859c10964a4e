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
  | { type: 'progress' | 'ended'; ledger: LedgerCounts }
  | { type: 'checkpoint'; pass: number }
)
export type ToHost = { incarnation: number } & (
  | { type: 'ack'; n: number }
  | { type: 'match.answer'; seq: number }
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
  done = false
}
