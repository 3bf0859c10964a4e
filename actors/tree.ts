/**
 * The shape of the daemon's tree. Runs in the daemon; knows the members by name and order only, what they are comes from src/.
 *
 *   root                one_for_one, escalates: only a defect in the store or in the root itself ends the daemon
 *   ├ store             first up, last down
 *   ├ bus               nats-server, outbox
 *   ├ engines           engine:<device>, each with its own count of restarts and its own breaker
 *   ├ gallery
 *   ├ cameras           camera:<id>, each with a supervisor of its own; they come and go with the configuration
 *   ├ jobs              its place; empty, since replays run in the command that asks
 *   └ http              http, control socket, commands by the bus, watch of the configuration
 */
import type { ChildSpec } from './kernel/child.ts'
import { Supervisor } from './kernel/supervisor.ts'
import type { SupervisorDeps, SupervisorSpec } from './kernel/supervisor-spec.ts'
import { groupPolicy, rootPolicy, servicePolicy } from './policies.ts'

export interface TreeMembers {
  store: ChildSpec
  bus: ChildSpec[]
  /** The group of engines, a supervisor itself (engine-fleet). */
  engines: ChildSpec
  gallery: ChildSpec
  /** The group of cameras, a supervisor itself (dynamic-group). */
  cameras: ChildSpec
  /** The group of doors, the same. */
  http: ChildSpec
}

/** Above the sum of its members' own limits, so that the ladder inside comes first. */
const GROUP_SHUTDOWN_MS = 30_000

export function startTree(members: TreeMembers, deps: SupervisorDeps): Supervisor {
  return Supervisor.start(
    {
      ...rootPolicy,
      id: 'root',
      children: [
        members.store,
        group('bus', servicePolicy, members.bus, deps),
        members.engines,
        group('gallery', servicePolicy, [members.gallery], deps),
        members.cameras,
        group('jobs', groupPolicy, [], deps),
        members.http,
      ],
    },
    deps,
  )
}

/** A supervisor as a child; it is up when each of its children was tried once. */
function group(
  id: string,
  policy: Omit<SupervisorSpec, 'id' | 'children'>,
  children: ChildSpec[],
  deps: SupervisorDeps,
): ChildSpec {
  return {
    id,
    restart: 'permanent',
    shutdownMs: GROUP_SHUTDOWN_MS,
    async start({ path }) {
      const supervisor = Supervisor.start({ ...policy, id, children }, { ...deps, path })
      await supervisor.ready
      return supervisor
    },
  }
}
