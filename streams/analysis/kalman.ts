/**
 * One coordinate of a moving thing: position and velocity under noise. Pure.
 * A Kalman filter (Kalman 1960) over the integrated Ornstein–Uhlenbeck process: constant velocity as in SORT (Bewley et
 * al., ICIP 2016) for as long as something is seen, while a velocity that nobody has measured for a second fades to rest
 * instead of carrying a lost face out of the picture. The step is media time, so that any rate of frames gives the
 * same motion; SORT's step is a frame.
 */

/** The velocity's memory, s. */
const MEMORY_SECONDS = 1

export interface KalmanState {
  /** Any unit of length u. */
  position: number
  /** u/s. */
  velocity: number
  /** Covariance: u², u²/s, u²/s². */
  positionVariance: number
  covariance: number
  velocityVariance: number
}

/** Seen once at `position`, measured with `noise` (u): the velocity is anything that is usual, `speed` (u/s). */
export function startKalman(position: number, noise: number, speed: number): KalmanState {
  return { position, velocity: 0, positionVariance: noise * noise, covariance: 0, velocityVariance: speed * speed }
}

/** The state `seconds` later. `speed`: standard deviation (u/s) of the velocities that things of this kind have. */
export function predictKalman(state: KalmanState, seconds: number, speed: number): KalmanState {
  const { position, velocity, positionVariance, covariance, velocityVariance } = state
  const kept = Math.exp(-seconds / MEMORY_SECONDS)
  const reach = MEMORY_SECONDS * (1 - kept)
  const power = speed * speed
  return {
    position: position + reach * velocity,
    velocity: kept * velocity,
    positionVariance:
      positionVariance +
      2 * reach * covariance +
      reach * reach * velocityVariance +
      power * (2 * MEMORY_SECONDS * (seconds - reach) - reach * reach),
    covariance: kept * (covariance + reach * velocityVariance) + power * reach * (1 - kept),
    velocityVariance: kept * kept * velocityVariance + power * (1 - kept * kept),
  }
}

/** The state after `measured`, whose standard deviation is `noise` (u). */
export function correctKalman(state: KalmanState, measured: number, noise: number): KalmanState {
  const spread = state.positionVariance + noise * noise
  const gain = state.positionVariance / spread
  const velocityGain = state.covariance / spread
  const surprise = measured - state.position
  return {
    position: state.position + gain * surprise,
    velocity: state.velocity + velocityGain * surprise,
    positionVariance: (1 - gain) * state.positionVariance,
    covariance: (1 - gain) * state.covariance,
    velocityVariance: state.velocityVariance - velocityGain * state.covariance,
  }
}
