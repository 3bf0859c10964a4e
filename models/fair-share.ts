/**
 * Whose turn it is on the device: deficit round-robin between sessions (Shreedhar & Varghese, SIGCOMM 1995), weighted, with
 * debts as in surplus round-robin (Adiseshu, Parulkar, Varghese, SIGCOMM 1996). Pure; runs in the engine host's I/O thread.
 *
 * In each round a session may use `weight × quantum` of device time. Its share is what is left of that, 1 to begin with. The
 * largest share goes first, so a round is served interleaved, not camera by camera. A session may be served beyond its share
 * where a batch has room; it then starts the next rounds with a debt. A round ends when nobody who waits has a share left. A
 * session that had nothing to send keeps no more than one round's share, and its debts are forgotten as rounds pass.
 */
interface Account {
  weight: number
  share: number
  /** Round for which `share` holds. */
  round: number
  /** Counts servings over all sessions. */
  servedAt: number
}

export class FairShare {
  readonly #accounts = new Map<number, Account>()
  #round = 0
  #served = 0

  /** `weight` > 0. Idempotent. */
  open(session: number, weight: number): void {
    if (this.#accounts.has(session)) return
    this.#accounts.set(session, { weight, share: 1, round: this.#round, servedAt: 0 })
  }

  close(session: number): void {
    this.#accounts.delete(session)
  }

  /** A choice to be thought through; nothing changes before `settle`. `quantum`: the dearest item that waits. */
  draft(waiting: Iterable<number>, quantum: number): ShareDraft {
    const standing: Standing[] = []
    for (const session of waiting) {
      const account = this.#accounts.get(session)
      if (account === undefined) throw new Error(`session ${session} has no account`)
      const { weight, servedAt } = account
      standing.push({ session, weight, servedAt, share: renewed(account.share, this.#round - account.round) })
    }
    return new ShareDraft(standing, quantum, this.#round, this.#served)
  }

  settle({ standing, round, served }: ShareDraft): void {
    this.#round = Math.max(this.#round, round)
    this.#served = Math.max(this.#served, served)
    for (const { session, share, servedAt } of standing) {
      const account = this.#accounts.get(session)
      if (account !== undefined) Object.assign(account, { share, servedAt, round })
    }
  }
}

interface Standing {
  session: number
  weight: number
  share: number
  servedAt: number
}

export class ShareDraft {
  readonly standing: Standing[]
  readonly #quantum: number
  round: number
  served: number

  constructor(standing: Standing[], quantum: number, round: number, served: number) {
    this.standing = standing
    this.#quantum = quantum
    this.round = round
    this.served = served
    this.#renew()
  }

  /** The session whose turn it is, of those that `may`; `undefined` when none may. */
  next(may: (session: number) => boolean): number | undefined {
    let best: Standing | undefined
    for (const one of this.standing) {
      if (may(one.session) && (best === undefined || goesBefore(one, best))) best = one
    }
    return best?.session
  }

  /** `session` used `cost`. Its debt is kept at `mostDebt` or less: who used what nobody else wanted is not punished. */
  charge(session: number, cost: number, mostDebt: number): void {
    const one = this.standing.find((standing) => standing.session === session)
    if (one === undefined) throw new Error(`session ${session} is not in this draft`)
    const allowance = one.weight * this.#quantum
    one.share = Math.max(one.share - cost / allowance, Math.min(one.share, -mostDebt / allowance))
    one.servedAt = ++this.served
  }

  /** As many rounds begin as it takes until one of them has a share. */
  #renew(): void {
    let rounds = Number.POSITIVE_INFINITY
    for (const { share } of this.standing) rounds = Math.min(rounds, share > 0 ? 0 : Math.floor(-share) + 1)
    if (!Number.isFinite(rounds) || rounds === 0) return
    for (const one of this.standing) one.share = renewed(one.share, rounds)
    this.round += rounds
  }
}

function renewed(share: number, rounds: number): number {
  return Math.min(1, share + rounds)
}

function goesBefore(a: Standing, b: Standing): boolean {
  if (a.share !== b.share) return a.share > b.share
  if (a.weight !== b.weight) return a.weight > b.weight
  return a.servedAt < b.servedAt
}
