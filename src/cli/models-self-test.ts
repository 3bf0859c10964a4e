/**
 * `grabber models verify --self-test`: measures an entry against the usual alternatives on a person's own pictures. Runs as
 * a command. Says what it cannot tell; must never pass an entry that was not measured.
 */
import type { Config } from '../../config/schema.ts'
import { GrabberError } from '../../core/errors.ts'
import type { StillFace } from '../../core/wire/control.ts'
import { type AspectVerdict, judge, type Verdict, verdicts } from '../../models/convention-verdict.ts'
import { type Alternative, alternatives, declared } from '../../models/conventions.ts'
import type { ModelEntry } from '../../models/model-entry.ts'
import { type Cosines, compare, compareMeans, cosines, separation } from '../../models/separation.ts'
import type { CliContext } from './context.ts'
import { progressLine } from './progress-line.ts'
import { type Check, syntheticChecks } from './self-test-checks.ts'
import type { PersonPicture } from './self-test-pictures.ts'
import { SelfTestRig } from './self-test-rig.ts'

/** Below this the intervals of the bootstrap mean little. */
const MIN_PEOPLE = 2
const MIN_PER_PERSON = 3
const MIN_DETECTOR_PICTURES = 8

export interface SelfTestReport {
  model: string
  kind: ModelEntry['kind']
  device: string
  checks: Check[]
  measured: {
    people: number
    /** With a face, of those given. */
    pictures: number
    given: number
    /** What the figures are. */
    figure: string
    /** Of the entry as it stands. */
    declared: number
    auc?: number
  } | null
  aspects: AspectVerdict[]
  verdict: Verdict
  why: string
}

/** MDL_*, ENG_*, SRC_*. `pictures` is empty when the person gave none. */
export async function selfTest(
  context: CliContext,
  config: Config,
  entry: ModelEntry,
  pictures: readonly PersonPicture[],
): Promise<SelfTestReport> {
  const others = alternatives(entry)
  const progress = progressLine(context, entry.id)
  try {
    await using rig = await SelfTestRig.open(context, config, entry)
    const checks = await syntheticChecks(rig)
    const base = { model: entry.id, kind: entry.kind, device: rig.bench.device, checks }
    const failed = checks.find(({ ok }) => !ok)
    if (failed)
      return { ...base, measured: null, aspects: [], verdict: 'wrong', why: `${failed.check}: ${failed.detail}` }
    if (pictures.length === 0)
      return { ...base, measured: null, aspects: untold(entry), ...cannotTell('no pictures were given') }
    const own = await rig.look(pictures)
    const used = [...pictures.keys()].filter((index) => own[index] !== undefined)
    const few = tooFew(
      entry,
      used.map((index) => pictures[index]!),
      pictures.length,
    )
    if (few !== undefined) return { ...base, measured: null, aspects: untold(entry), ...cannotTell(few) }
    const measure = new Measure(entry, pictures, own)
    const figures = []
    for (const [index, alternative] of others.entries()) {
      context.signal.throwIfAborted()
      progress.update(index + 1, others.length + 1, `${alternative.aspect} ${alternative.name}`)
      const seen = await lookOtherwise(context, config, rig, alternative, pictures)
      figures.push({ alternative, figure: measure.against(alternative, seen) })
    }
    const aspects = verdicts(entry, figures)
    return { ...base, measured: measure.summary, aspects, ...overall(aspects) }
  } finally {
    progress.clear()
  }
}

/** Another alignment needs no other engine; one at a time, because a large embedder nine times over would not fit. */
async function lookOtherwise(
  context: CliContext,
  config: Config,
  rig: SelfTestRig,
  { aspect, entry }: Alternative,
  pictures: readonly PersonPicture[],
): Promise<(StillFace | undefined)[]> {
  if (aspect === 'alignment') return rig.look(pictures, entry.alignment)
  try {
    await using other = await SelfTestRig.open(context, config, entry)
    return await other.look(pictures)
  } catch (error) {
    // A convention under which the model answers nonsense (MDL_OUTPUT, an embedding without a length) is a worse one.
    if (error instanceof GrabberError && ['MDL_OUTPUT', 'ENG_START'].includes(error.code))
      return pictures.map(() => undefined)
    throw error
  }
}

class Measure {
  readonly #entry: ModelEntry
  readonly #pictures: readonly PersonPicture[]
  readonly #own: readonly (StillFace | undefined)[]

  constructor(entry: ModelEntry, pictures: readonly PersonPicture[], own: readonly (StillFace | undefined)[]) {
    this.#entry = entry
    this.#pictures = pictures
    this.#own = own
  }

  get summary(): NonNullable<SelfTestReport['measured']> {
    const used = this.#both(this.#own)
    const people = new Set(used.map((index) => this.#pictures[index]!.person)).size
    const common = { people, pictures: used.length, given: this.#pictures.length }
    if (this.#entry.kind !== 'face-embedder') {
      return { ...common, figure: 'mean score of the largest face', declared: mean(this.#scores(this.#own)) }
    }
    const { dPrime, auc } = separation(this.#cosines(this.#own, used))
    return { ...common, figure: "d' of genuine and impostor cosines", declared: dPrime, auc }
  }

  /** On the pictures that both answered. */
  against({ aspect, name }: Alternative, seen: readonly (StillFace | undefined)[]) {
    if (this.#entry.kind !== 'face-embedder') {
      const [own, other] = [this.#scores(this.#own), this.#scores(seen)]
      const difference = compareMeans(own, other)
      return { name, figure: mean(other), difference, judgement: judge(aspect, mean(own), mean(other), difference) }
    }
    const used = this.#both(seen)
    if (used.length < this.#both(this.#own).length / 2) {
      const certain = Number.POSITIVE_INFINITY
      return {
        name,
        figure: 0,
        difference: { value: certain, low: certain, high: certain },
        judgement: 'worse' as const,
      }
    }
    const [own, other] = [this.#cosines(this.#own, used), this.#cosines(seen, used)]
    const difference = compare(own, other)
    const figure = separation(other).dPrime
    return { name, figure, difference, judgement: judge(aspect, separation(own).dPrime, figure, difference) }
  }

  #both(seen: readonly (StillFace | undefined)[]): number[] {
    const has = (face: StillFace | undefined) =>
      face !== undefined && (this.#entry.alignment === null || face.embedding !== undefined)
    return [...this.#pictures.keys()].filter((index) => has(this.#own[index]) && has(seen[index]))
  }

  #cosines(seen: readonly (StillFace | undefined)[], used: readonly number[]): Cosines {
    return cosines(
      used.map((index) => seen[index]!.embedding!),
      used.map((index) => this.#pictures[index]!.person),
    )
  }

  #scores(seen: readonly (StillFace | undefined)[]): number[] {
    return seen.map((face) => face?.score ?? 0)
  }
}

function tooFew(entry: ModelEntry, used: readonly PersonPicture[], given: number): string | undefined {
  if (entry.kind !== 'face-embedder') {
    return used.length < MIN_DETECTOR_PICTURES
      ? `a face was found on ${used.length} of ${given} pictures, and ${MIN_DETECTOR_PICTURES} are needed`
      : undefined
  }
  const counts = [...Map.groupBy(used, ({ person }) => person).values()].filter((own) => own.length >= MIN_PER_PERSON)
  return counts.length < MIN_PEOPLE
    ? `${MIN_PEOPLE} people with ${MIN_PER_PERSON} pictures each are needed, and a face was found on ${used.length} of ${given} pictures of ${counts.length} such people`
    : undefined
}

function untold(entry: ModelEntry): AspectVerdict[] {
  const stated = declared(entry)
  const why = 'not measured'
  return [...new Set(alternatives(entry).map(({ aspect }) => aspect))].map((aspect) => ({
    ...{ aspect, declared: stated[aspect], verdict: 'cannot tell' as const, why, alternatives: [] },
  }))
}

function cannotTell(why: string): { verdict: Verdict; why: string } {
  return { verdict: 'cannot tell', why }
}

function overall(aspects: readonly AspectVerdict[]): { verdict: Verdict; why: string } {
  const pick = (verdict: Verdict) => aspects.filter((one) => one.verdict === verdict)
  const say = (ones: readonly AspectVerdict[]) => ones.map(({ aspect, why }) => `${aspect}: ${why}`).join('; ')
  if (pick('wrong').length > 0) return { verdict: 'wrong', why: say(pick('wrong')) }
  if (pick('cannot tell').length > 0) return { verdict: 'cannot tell', why: say(pick('cannot tell')) }
  return { verdict: 'right', why: 'every alternative is worse' }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
