/**
 * How well embeddings tell people apart, and whether one set does it better than another of the same pictures. Pure.
 * d′ (sensitivity index): the distance between the means of genuine and impostor cosines in units of their pooled standard
 * deviation (Macmillan and Creelman, "Detection Theory", 2004). Unlike the area under the curve it still tells two models
 * apart that both separate everything.
 */

/** Cosines of all pairs of pictures, `[n × n]` row by row, and who is on each picture. */
export interface Cosines {
  people: readonly number[]
  values: Float64Array
}

export interface Separation {
  dPrime: number
  /** Area under the ROC curve: how often a genuine pair is more alike than an impostor pair. */
  auc: number
  genuineMean: number
  impostorMean: number
}

export interface Difference {
  /** First minus second. */
  value: number
  /** 95 % of the resamples lie between. */
  low: number
  high: number
}

const RESAMPLES = 400

/** Of L2-normalised embeddings. */
export function cosines(embeddings: readonly Float32Array[], people: readonly number[]): Cosines {
  const n = embeddings.length
  const values = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let dot = 0
      for (let k = 0; k < embeddings[i]!.length; k++) dot += embeddings[i]![k]! * embeddings[j]![k]!
      values[i * n + j] = dot
      values[j * n + i] = dot
    }
  }
  return { people, values }
}

export function separation(all: Cosines): Separation {
  const { genuine, impostor } = pairs(all, identity(all.people.length))
  const [g, i] = [moments(genuine), moments(impostor)]
  return {
    dPrime: index(g, i),
    auc: areaUnderCurve(genuine, impostor),
    genuineMean: g.mean,
    impostorMean: i.mean,
  }
}

/**
 * d′ of `first` minus d′ of `second`, with a paired bootstrap over pictures (Efron 1979): each resample draws every person's
 * pictures with replacement, the same for both. The same seed each time, so that a report can be repeated.
 */
export function compare(first: Cosines, second: Cosines): Difference {
  const value = dPrime(first, identity(first.people.length)) - dPrime(second, identity(first.people.length))
  const random = generator(1)
  const byPerson = Map.groupBy(first.people.keys(), (picture) => first.people[picture]!)
  const found: number[] = []
  for (let n = 0; n < RESAMPLES; n++) {
    const drawn = [...byPerson.values()].flatMap((own) => own.map(() => own[Math.floor(random() * own.length)]!))
    const one = dPrime(first, drawn) - dPrime(second, drawn)
    if (Number.isFinite(one)) found.push(one)
  }
  return { value, ...interval(found) }
}

/** Mean of `first` minus mean of `second`, paired, bootstrap over pictures. */
export function compareMeans(first: readonly number[], second: readonly number[]): Difference {
  const differences = first.map((one, at) => one - second[at]!)
  const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length
  const random = generator(1)
  const found = Array.from({ length: RESAMPLES }, () =>
    mean(differences.map(() => differences[Math.floor(random() * differences.length)]!)),
  )
  return { value: mean(differences), ...interval(found) }
}

function interval(values: number[]): { low: number; high: number } {
  if (values.length === 0) return { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
  values.sort((a, b) => a - b)
  const at = (share: number) => values[Math.min(values.length - 1, Math.floor(share * values.length))]!
  return { low: at(0.025), high: at(0.975) }
}

function dPrime(all: Cosines, drawn: readonly number[]): number {
  const { genuine, impostor } = pairs(all, drawn)
  return index(moments(genuine), moments(impostor))
}

/** Pairs of different pictures among those drawn; a picture that was drawn twice is no pair with itself. */
function pairs({ people, values }: Cosines, drawn: readonly number[]): { genuine: number[]; impostor: number[] } {
  const n = people.length
  const genuine: number[] = []
  const impostor: number[] = []
  for (let i = 1; i < drawn.length; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [drawn[i]!, drawn[j]!]
      if (a === b) continue
      const list = people[a] === people[b] ? genuine : impostor
      list.push(values[a * n + b]!)
    }
  }
  return { genuine, impostor }
}

function moments(values: readonly number[]): { mean: number; variance: number } {
  let sum = 0
  for (const value of values) sum += value
  const mean = sum / values.length
  let squares = 0
  for (const value of values) squares += (value - mean) ** 2
  return { mean, variance: squares / values.length }
}

function index(genuine: ReturnType<typeof moments>, impostor: ReturnType<typeof moments>): number {
  // Embeddings that are all alike have no spread, and tell nobody from anybody.
  const spread = Math.sqrt((genuine.variance + impostor.variance) / 2)
  return spread < 1e-9 ? 0 : (genuine.mean - impostor.mean) / spread
}

/** By ranks (Mann-Whitney), ties counting half. */
function areaUnderCurve(genuine: readonly number[], impostor: readonly number[]): number {
  const sorted = Float64Array.from(impostor).sort()
  let sum = 0
  for (const value of genuine) sum += (below(sorted, value, false) + below(sorted, value, true)) / 2
  return sum / (genuine.length * impostor.length)
}

/** How many are less than `value`, or not more than it. */
function below(sorted: Float64Array, value: number, orEqual: boolean): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const before = orEqual ? sorted[middle]! <= value : sorted[middle]! < value
    if (before) low = middle + 1
    else high = middle
  }
  return low
}

const identity = (length: number) => Array.from({ length }, (_, n) => n)

/** mulberry32, 0 ≤ x < 1. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
