/**
 * Activity from the sizes of coded pictures alone, while only I-frames are decoded. Pure.
 * What an encoder cannot predict from the picture before it must send, so movement shows as bytes. Sizes of single pictures say
 * little (B-frames are small, rate control breathes): sums over a fifth of a second are compared with the median and the
 * median absolute deviation of quiet sums (Hampel's identifier), so that the camera's own noise sets the threshold.
 */

/** Pictures whose bytes are summed cover about this time. */
const WINDOW_SECONDS = 0.2
/** Quiet sums that are remembered: at 25 pictures a second, 13 s. */
const REMEMBERED = 64
/** Fewer say nothing yet. */
const ENOUGH = 8
/** 1.4826 × MAD is the standard deviation of a normal distribution. */
const MAD_TO_SIGMA = 1.4826
const SIGMAS = 4
/** Least growth over the median that counts, as a factor. */
const GROWTH = 1.5
/** The same over what quiet reaches now and then (its 95th percentile): two P-frames among B-frames in one sum. */
const PEAK_GROWTH = 1.3
const PEAK = 0.95
/** Skipped pictures are a dozen bytes each: below so many bytes a picture nothing can be seen. */
const FLOOR_BYTES = 60
/** A wake that showed nothing raises the threshold, so that a breathing encoder is not decoded all day. */
const ALARM_FACTOR = 1.5
const MAX_TOLERANCE = 8
/**
 * An encoder whose bytes follow the picture spends at least so many times the bytes of quiet while something moves, as a mean over
 * this long. One that keeps a rate cannot: a buffer of two seconds lends it two thirds as much again over three.
 */
const TELLING_GROWTH = 2
const TELLING_SECONDS = 3
/** Each quiet sum takes a little of that back: half of it in about 700 sums, two to three minutes. */
const RELAX = 0.999

/** What is known of the moment of a picture: nothing happens, however large it is; something moves; neither. */
export type PacketMoment = 'quiet' | 'moving' | 'unknown'

export class PacketActivity {
  readonly #length: number
  readonly #stretchPictures: number
  #recent: number[] = []
  #sum = 0
  #sinceSample = 0
  #quiet: number[] = []
  #next = 0
  #threshold: number | undefined
  /** Median of the quiet sums. */
  #center: number | undefined
  #tolerance = 1
  #movingBytes = 0
  #movingPictures = 0
  /** Of the present movement: stretches that were compared, and whether one of them showed. */
  #stretches = 0
  #told = false
  #tells = false

  /** `fps` of the stream; `null` is taken for 25. */
  constructor(fps: number | null) {
    this.#length = Math.max(2, Math.min(12, Math.round((fps ?? 25) * WINDOW_SECONDS)))
    this.#stretchPictures = (fps ?? 25) * TELLING_SECONDS
  }

  /** A picture that is not an I-frame (their size is no news). */
  step(bytes: number, moment: PacketMoment): void {
    this.#compare(bytes, moment)
    this.#recent.push(bytes)
    this.#sum += bytes
    if (this.#recent.length > this.#length) this.#sum -= this.#recent.shift()!
    if (moment !== 'quiet') {
      this.#sinceSample = 0
      return
    }
    if (++this.#sinceSample < this.#length) return
    this.#sinceSample = 0
    this.#learn(this.#sum)
  }

  /** The pictures seen last are larger than quiet ones. False while too little is known. */
  get active(): boolean {
    return (
      this.#threshold !== undefined &&
      this.#recent.length === this.#length &&
      this.#sum > this.#threshold * this.#tolerance
    )
  }

  /** The last long movement showed in the sizes: this encoder's bytes follow the picture, and sizes that stay mean that it does. */
  get tells(): boolean {
    return this.#tells
  }

  /** It was said that something happens, and the pictures show nothing. */
  falseAlarm(): void {
    this.#tolerance = Math.min(MAX_TOLERANCE, this.#tolerance * ALARM_FACTOR)
  }

  /** By stretches of a movement: what moves may stand still for the rest of it. */
  #compare(bytes: number, moment: PacketMoment): void {
    if (moment !== 'moving') {
      if (this.#stretches > 0) this.#tells = this.#told
      this.#stretches = 0
      this.#told = false
      this.#movingBytes = 0
      this.#movingPictures = 0
      return
    }
    this.#movingBytes += bytes
    if (++this.#movingPictures < this.#stretchPictures || this.#center === undefined) return
    const quietBytes = this.#center / this.#length
    this.#told ||= this.#movingBytes >= TELLING_GROWTH * quietBytes * this.#movingPictures
    this.#stretches++
    this.#movingBytes = 0
    this.#movingPictures = 0
  }

  #learn(sum: number): void {
    this.#quiet[this.#next] = sum
    this.#next = (this.#next + 1) % REMEMBERED
    this.#tolerance = Math.max(1, this.#tolerance * RELAX)
    if (this.#quiet.length < ENOUGH) return
    const sorted = Float64Array.from(this.#quiet).sort()
    const center = quantile(sorted, 0.5)
    this.#center = center
    const deviations = sorted.map((value) => Math.abs(value - center)).sort()
    this.#threshold = Math.max(
      center * GROWTH,
      center + SIGMAS * MAD_TO_SIGMA * quantile(deviations, 0.5),
      quantile(sorted, PEAK) * PEAK_GROWTH,
      FLOOR_BYTES * this.#length,
    )
  }
}

function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.floor(share * (sorted.length - 1))]!
}
