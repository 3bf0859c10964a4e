/**
 * Where a command finds the events of a grabber: a NATS server, or the history of a daemon whose bus is inside it.
 * Runs in commands. Must never show an address with its credentials.
 */
import type { Config } from '../../config/schema.ts'
import { GrabberError } from '../../core/errors.ts'
import { type NatsAddress, parseNatsUrl } from '../bus/nats-url.ts'
import { findOwner } from '../store/data-dir.ts'

export type EventsPlace =
  /** `address` looks anew each time: a daemon's own server may come back on another port. */
  { kind: 'nats'; address(): NatsAddress } | { kind: 'history' }

/** `url` as given with --nats, else the configuration's, else what the running daemon says. BUS_UNAVAILABLE, CFG_INVALID. */
export function eventsPlace(config: Config, url: string | undefined): EventsPlace {
  const fixed = url ?? (/^(auto|none)$/.test(config.nats.url) ? undefined : config.nats.url)
  if (fixed !== undefined) {
    const address = parseNatsUrl(fixed)
    return { kind: 'nats', address: () => address }
  }
  return daemonUrl(config) === null ? { kind: 'history' } : { kind: 'nats', address: () => daemonAddress(config) }
}

/** The same for what only a server has. BUS_UNAVAILABLE. */
export function natsAddress(config: Config, url: string | undefined): NatsAddress {
  const place = eventsPlace(config, url)
  return place.kind === 'nats' ? place.address() : daemonAddress(config)
}

function daemonAddress(config: Config): NatsAddress {
  const url = daemonUrl(config)
  if (url === null) {
    throw new GrabberError('BUS_UNAVAILABLE', 'the bus of the running grabber is inside it', {
      remedy: 'install nats-server, or set nats.url to a server',
    })
  }
  return parseNatsUrl(url)
}

/** `null` when its bus is inside the process. */
function daemonUrl(config: Config): string | null {
  const owner = findOwner(config.data)
  if (owner === undefined) {
    throw new GrabberError('BUS_UNAVAILABLE', `no grabber runs on ${config.data}`, {
      remedy: 'start `grabber run`, or give the address of a NATS server with --nats',
    })
  }
  const { natsUrl } = owner
  // A URL with credentials stands there without them.
  if (natsUrl?.includes('***')) {
    throw new GrabberError('BUS_UNAVAILABLE', 'the NATS server of the running grabber wants credentials', {
      remedy: 'give its configuration with -c, or its address with --nats',
    })
  }
  return natsUrl
}
