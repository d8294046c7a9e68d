/** Gateways of their own, put together on the side of the control plane: who they are, what they ask, and their door for tunnels. */

import { FORWARDED_HEADER } from '@kalnet/contracts/gateway-joined'
import type { Clock } from '@kalnet/io/clock'
import type { Log } from '@kalnet/io/log'
import type { Http } from '../../core/http.ts'
import type { Tunnels } from '../../streams/tunnels.ts'
import { ofHousehold, type Snapshots } from '../snapshot.ts'
import { createKnownGateways } from './known.ts'
import { type JoinedOptions, routesOfJoined } from './routes.ts'
import { openTunnelDoor } from './tunnel-door.ts'

export function createJoined(
  options: Omit<JoinedOptions, 'known' | 'snapshotOf' | 'ownHosts'> & {
    clock: Clock
    log: Log
    http: Pick<Http, 'upgrade' | 'believe' | 'own'>
    tunnels: Pick<Tunnels, 'dial'>
    snapshots: () => Pick<Snapshots, 'now'>
    signal: AbortSignal
  },
) {
  const { http, clock } = options
  const known = createKnownGateways(clock)
  const snapshotOf = (organisationId: string) => ofHousehold(options.snapshots().now(), organisationId)
  openTunnelDoor({ ...options, snapshotOf })
  http.believe((request) => {
    const said = request.headers[FORWARDED_HEADER]
    return known.before(typeof said === 'string' ? said : undefined)
  })
  return {
    figures: known.figures,
    problems: known.problems,
    routes: routesOfJoined({ ...options, known, snapshotOf, ownHosts: http.own.hosts }),
  }
}
