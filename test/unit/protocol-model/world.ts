/**
 * docs/protocol.md as an executable model: one daemon, one session host, one engine host, and the messages in flight. Not the
 * product's code: small enough to be read in one go, with the real ledger (core/ledger) as its book-keeping.
 *
 * What is left out: contents (an event is its id), stills, stop, deadlines. A deadline ends in a kill, and kills are here.
 * The daemon's channel to the host outlives a host, although a new process has a new pipe: it stands for whatever the
 * daemon still has under way for a predecessor, such as an answer from the gallery. The incarnation has to fence it.
 */
import { addLedgers, closeDead, emptyLedger, type LedgerCounts } from '../../../core/ledger.ts'
import {
  ATTEMPTS,
  Daemon,
  ENGINE_CREDITS,
  EVENT_CREDITS,
  FRAMES_PER_PASS,
  type Frame,
  Host,
  type Mistake,
  PASSES,
  type Policy,
  type ToDaemon,
  type ToHost,
  WAITING_FRAMES,
} from './state.ts'

export class World {
  readonly policy: Policy
  readonly #mistake: Mistake | null
  daemon = new Daemon()
  host: Host | null = null
  engine: { incarnation: number; queue: number[] } | null = null
  toDaemon: ToDaemon[] = []
  toHost: ToHost[] = []
  toEngine: number[] = []
  fromEngine: number[] = []
  /** Ids on disk; outlives the daemon. */
  readonly stored = new Set<string>()
  /** Event numbers that came out of order. */
  gaps = 0
  /** Times that the daemon heard of a lost camera. */
  losses = 0
  #engines = 0
  #starts = 0
  /** Where a live camera's scene stands: it goes on while no host looks. */
  #scene = 0

  constructor(policy: Policy, mistake: Mistake | null = null) {
    this.policy = policy
    this.#mistake = mistake
  }

  get ledger(): LedgerCounts {
    return addLedgers(this.daemon.before, this.daemon.last)
  }

  /** What can happen now, apart from deaths. `choice` settles what is open within a step. */
  readonly steps: Record<string, (choice: number) => boolean> = {
    'daemon starts the host': () => {
      // Only when all that its predecessor said was read (actors/kernel/child-process, `exited`).
      if (this.host !== null || this.daemon.done || this.toDaemon.length > 0) return false
      this.#closeBooks()
      const from = this.policy === 'wait' ? this.daemon.checkpoint : 0
      const next = this.policy === 'wait' ? from * FRAMES_PER_PASS : this.#scene
      const epoch = this.policy === 'wait' ? 'recording' : `start ${++this.#starts}`
      this.host = new Host(++this.daemon.incarnation, epoch, from, next)
      if (this.engine !== null) this.host.engine = { credits: ENGINE_CREDITS }
      return true
    },

    'daemon starts the engine': () => {
      if (this.engine !== null) return false
      this.engine = { incarnation: ++this.#engines, queue: [] }
      this.toHost.push({ type: 'engine', incarnation: this.daemon.incarnation, engine: this.#engines })
      return true
    },

    'host captures': () => {
      const host = this.host
      if (host === null || host.source !== 'connected' || host.next >= this.#passEnd(host)) return false
      const waiting = host.frames.filter((frame) => frame.state === 'waiting')
      if (this.policy === 'wait' && waiting.length >= WAITING_FRAMES) return false
      const seq = host.next++
      if (this.policy === 'drop-oldest') this.#scene = host.next
      host.ledger.captured(seq)
      if (seq % 3 === 1) host.ledger.skipped(seq, 'rate')
      else host.frames.push({ seq, state: 'waiting', attempt: 1 })
      if (waiting.length >= WAITING_FRAMES && seq % 3 !== 1) this.#drop(host, waiting[0]!, 'detect.overflow')
      return true
    },

    'host sends infer': () => {
      const frame = this.host?.frames.find(({ state }) => state === 'waiting')
      if (!this.host?.engine || this.host.engine.credits === 0 || frame === undefined) return false
      this.host.engine.credits--
      frame.state = 'sent'
      this.toEngine.push(frame.seq)
      return true
    },

    'engine takes a request': () => {
      const seq = this.engine === null ? undefined : this.toEngine.shift()
      if (seq !== undefined) this.engine?.queue.push(seq)
      return seq !== undefined
    },

    'engine answers any request': (choice) => {
      const queue = this.engine?.queue ?? []
      if (queue.length === 0) return false
      this.fromEngine.push(...queue.splice(choice % queue.length, 1))
      return true
    },

    'host takes a result': () => {
      const seq = this.fromEngine.shift()
      const frame = this.host?.frames.find((candidate) => candidate.seq === seq)
      if (frame === undefined || !this.host?.engine) return false
      this.host.engine.credits++
      frame.state = 'answered'
      return true
    },

    'host tracks': () => {
      const host = this.host
      const ordered = this.#mistake !== 'results are taken out of order'
      const frame = ordered
        ? host?.frames[0]
        : host?.frames.find(({ state }) => state === 'answered' || state === 'matched')
      if (!host || !frame || host.sent - host.acked >= EVENT_CREDITS) return false
      if (frame.state === 'answered' && frame.seq % 4 === 0) {
        frame.state = 'asking'
        this.toDaemon.push({ type: 'match', incarnation: host.incarnation, seq: frame.seq })
        return true
      }
      if (frame.state !== 'answered' && frame.state !== 'matched') return false
      host.frames = host.frames.filter((other) => other !== frame)
      host.ledger.analysed(frame.seq)
      host.seen++
      const id = `${host.epoch}/${host.pass}/${host.seen}@${frame.seq}`
      if (host.seen % 2 === 1) {
        this.toDaemon.push({ type: 'event', incarnation: host.incarnation, n: ++host.sent, id })
      }
      return true
    },

    'host says lost': () => {
      const host = this.host
      const drained = host?.frames.length === 0 || this.#mistake === 'lost is said before its frames have a fate'
      if (host?.source !== 'draining' || !drained) return false
      host.source = 'lost'
      this.toDaemon.push({ type: 'lost', incarnation: host.incarnation, ledger: host.ledger.counts() })
      return true
    },

    'daemon tries the camera again': () => {
      if (!this.daemon.isLost) return false
      this.daemon.isLost = false
      this.toHost.push({ type: 'connect', incarnation: this.daemon.incarnation })
      return true
    },

    'host ends a pass': () => {
      const host = this.host
      if (host === null || host.next < this.#passEnd(host) || host.frames.length > 0) return false
      if (host.source !== 'connected') return false
      const last = this.policy === 'drop-oldest' || host.pass + 1 === PASSES
      if (last) {
        this.toDaemon.push({ type: 'ended', incarnation: host.incarnation, ledger: host.ledger.counts() })
        this.#hostGone()
        return true
      }
      const { incarnation } = host
      const checkpoint: ToDaemon = { type: 'checkpoint', incarnation, pass: ++host.pass }
      const progress: ToDaemon = { type: 'progress', incarnation, ledger: host.ledger.counts() }
      // The ledger goes first, so that the daemon knows what the checkpoint stands for.
      if (this.#mistake === 'checkpoint before its events') this.toDaemon.unshift(progress, checkpoint)
      else if (this.#mistake === 'checkpoint without its ledger') this.toDaemon.push(checkpoint)
      else this.toDaemon.push(progress, checkpoint)
      host.seen = 0
      return true
    },

    'host says progress': () => {
      if (this.host === null || this.toDaemon.some(({ type }) => type === 'progress')) return false
      const { incarnation, ledger } = this.host
      this.toDaemon.push({ type: 'progress', incarnation, ledger: ledger.counts() })
      return true
    },

    'daemon reads': () => {
      const message = this.toDaemon.shift()
      if (message !== undefined && message.incarnation === this.daemon.incarnation) this.#daemonReads(message)
      return message !== undefined
    },

    'host reads': () => {
      const message = this.toHost.shift()
      if (message === undefined || this.host === null) return message !== undefined
      const fenced =
        (this.#mistake !== 'acks are not fenced' || message.type !== 'ack') &&
        (this.#mistake !== 'connect is not fenced' || message.type !== 'connect')
      if (message.incarnation === this.host.incarnation || !fenced) this.host.reads(message, this.engine?.incarnation)
      return true
    },
  }

  /** Deaths. `choice` says how much of what the dead had sent still arrives. */
  readonly deaths: Record<string, (choice: number) => boolean> = {
    'host is killed': (choice) => {
      if (this.host === null) return false
      this.toDaemon.length = choice % (this.toDaemon.length + 1)
      this.#hostGone()
      return true
    },

    // No death, but no more welcome: a recording has no camera that could go.
    'camera is lost': () => {
      if (this.host?.source !== 'connected' || this.policy === 'wait') return false
      this.host.source = 'draining'
      return true
    },

    'engine is killed': () => {
      const open = this.host?.frames.filter(({ state }) => state === 'sent') ?? []
      // A second death under a request is poison, the one drop that a replay can have: another story, told by live runs.
      if (this.policy === 'wait' && open.some(({ attempt }) => attempt === ATTEMPTS)) return false
      if (this.engine === null) return false
      this.engine = null
      this.toEngine = []
      this.fromEngine = []
      if (this.host === null) return true
      if (this.#mistake === 'a dead engine keeps its credits') this.host.creditsLost = open.length
      this.host.engine = null
      for (const frame of open) {
        if (++frame.attempt > ATTEMPTS) this.#drop(this.host, frame, 'engine.poison')
        else frame.state = 'waiting'
      }
      return true
    },

    'daemon is killed': () => {
      this.#hostGone()
      this.engine = null
      this.toDaemon = []
      this.toHost = []
      this.daemon = new Daemon()
      return true
    },
  }

  #passEnd(host: Host): number {
    return this.policy === 'wait' ? (host.pass + 1) * FRAMES_PER_PASS : PASSES * FRAMES_PER_PASS
  }

  #drop(host: Host, frame: Frame, key: 'detect.overflow' | 'engine.poison'): void {
    host.frames = host.frames.filter((other) => other !== frame)
    host.ledger.dropped(frame.seq, key)
  }

  /** Its connection to the engine dies with it, and what the engine had of it. */
  #hostGone(): void {
    this.host = null
    this.toEngine = []
    this.fromEngine = []
    if (this.engine !== null) this.engine.queue = []
  }

  #closeBooks(): void {
    const { daemon } = this
    const closed = this.#mistake === 'open frames of a dead host are forgotten' ? daemon.last : closeDead(daemon.last)
    daemon.before = this.policy === 'wait' ? daemon.upToCheckpoint : addLedgers(daemon.before, closed)
    daemon.last = emptyLedger()
    daemon.events = 0
    daemon.isLost = false
  }

  #daemonReads(message: ToDaemon): void {
    const { daemon } = this
    const { incarnation } = message
    if (message.type === 'event') {
      if (message.n !== ++daemon.events) this.gaps++
      this.stored.add(message.id)
      this.toHost.push({ type: 'ack', incarnation, n: message.n })
    } else if (message.type === 'match') {
      this.toHost.push({ type: 'match.answer', incarnation, seq: message.seq })
    } else if (message.type === 'checkpoint') {
      daemon.checkpoint = message.pass
      daemon.upToCheckpoint = this.ledger
    } else {
      daemon.last = message.ledger
      daemon.done = message.type === 'ended'
      if (message.type !== 'lost') return
      daemon.isLost = true
      this.losses++
    }
  }
}
